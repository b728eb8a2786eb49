#!/bin/bash
# shipit-cli 5.3.0 (liftoff 3.1.0, interpret 1.4.0), Node.js 20.19 or newer.
# Expected: it finds a `shipitfile.cjs`, the name that Node.js has for CommonJS in a project with "type": "module", since it loads
#   shipitfiles by `require`; a `shipitfile.mjs`, which `require` did not take for years, rather not.
# Seen: the other way round. `.mjs` is found and runs, `.cjs` ends with "shipitfile not found" beside the file, in projects of
#   either type. Named by `--shipitfile` the same file runs.
# Origin: the list of extensions of interpret 1.4.0 has `.mjs`, `.cjsx` and even `.toml`; that of 3.1.1 has `.cjs`
# For us: our README says which name works in every project.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts shipit-cli@5.3.0 liftoff@3.1.0 interpret@1.4.0 >/dev/null 2>&1
body='shipit => { shipit.initConfig({ production: { servers: [] } }); shipit.blTask("hello", async () => console.log("ran")) }'

status=0
expect() { # TYPE FILE OPTIONS SEEN
  rm -f shipitfile.*
  echo "{\"private\":true,\"type\":\"$1\"}" >package.json
  case $2 in
    *.cjs) echo "module.exports = $body" >"$2" ;;
    *.mjs) echo "export default $body" >"$2" ;;
  esac
  local seen
  # shellcheck disable=SC2086 # options are words
  seen=$(NO_COLOR=1 node_modules/.bin/shipit $3 production hello 2>&1 | grep -oE '^ran$|shipitfile not found' || true)
  echo "\"type\": \"$1\", $2${3:+, $3}: $seen"
  [ "$seen" = "$4" ] || { echo "it was: $4" >&2; status=1; }
}
for type in module commonjs; do
  expect "$type" shipitfile.mjs '' 'ran'
  expect "$type" shipitfile.cjs '' 'shipitfile not found'
  expect "$type" shipitfile.cjs '--shipitfile shipitfile.cjs' 'ran'
done
exit "$status"
