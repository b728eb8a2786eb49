#!/bin/bash
# shipit-deploy 5.3.0 with shipit-cli 5.3.0, Node.js 20 or newer. A program named ssh stands for a server: it runs the command here.
# Expected: where `current` is a directory, as when files were once copied there by hand, `deploy:publish` fails. Its command on
#   the server looks for this and prints an error, and its code looks for that error.
# Seen: "Release published.", exit code 0, and `current` as before. The command ends with 0 in that case, and the code searches
#   `stdout` of the list of all servers' results, which has none, so nothing is ever found.
# For us: publishing fails on such a server, before any link is changed anywhere (docs/troubleshooting.md, "is a directory";
#   test/unit/deploy/scripts/releases/publish-script.test.ts).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts shipit-cli@5.3.0 shipit-deploy@5.3.0 >/dev/null 2>&1

mkdir bin
printf '#!/bin/bash\nexec bash -c "${!#}"\n' >bin/ssh
chmod +x bin/ssh
cat >shipitfile.js <<JS
module.exports = (shipit) => {
  require('shipit-deploy')(shipit)
  shipit.initConfig({ production: { servers: 'deploy@server.example', deployTo: '$work/app' } })
  // What deploy:update leaves for deploy:publish.
  shipit.releaseDirname = '20260102000000'
  shipit.releasePath = '$work/app/releases/20260102000000'
}
JS

publish() {
  local exit_code=0
  PATH=$work/bin:$PATH NO_COLOR=1 node_modules/.bin/shipit production deploy:publish >log 2>&1 || exit_code=$?
  echo "exit code $exit_code, \"$(grep -o 'Release published' log)\", current is $(stat -c %F app/current)"
}
mkdir -p app/releases/20260102000000
fresh=$(publish)
rm app/current && mkdir app/current && echo old >app/current/index.html
blocked=$(publish)
printf '%s\n' "$fresh" "$blocked"
[ "$fresh" = 'exit code 0, "Release published", current is symbolic link' ] &&
  [ "$blocked" = 'exit code 0, "Release published", current is directory' ] &&
  grep -q 'could not make symlink' log && [ "$(cat app/current/index.html)" = old ] && echo 'as found' && exit 0
echo CHANGED
exit 1
