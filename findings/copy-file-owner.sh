#!/bin/sh
# fs.copyFile as root gives the copy the owner of the source, or not, depending on the version of Node.js.
#
# What:     Node.js 22.23.3 (libuv 1.51.0) and 24.21.0 (libuv 1.52.1), beside 20.20.2 (libuv 1.46.0), on Linux
# Expected: the copy is a new file of the process's own user, as with cp, and as in Node.js 20; the documentation of
#           fs.copyFile speaks of content only
# Seen:     with Node.js 22 and 24 root's copy is owned by the user and group that own the source, and keeps setuid
#           and setgid: a program that copies files as root leaves files that others may change. A setgid directory
#           does not give its group either.
# Origin:   https://github.com/libuv/libuv/pull/4396, "behaves like `cp -r`"; cp -r itself gives no owner away, cp -p does
# Instead:  after copying, set the owner of a file that was made empty in the same place, then the mode
#
# Needs root, npm and the npm registry. Ends with 0 while that is so, and with 1 when it has changed.
set -eu
[ "$(id -u)" = 0 ] || { echo "must run as root" >&2; exit 2; }
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "no Node.js of npm for $(uname -m)" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  "node20@npm:node-linux-$arch@20.20.2" "node22@npm:node-linux-$arch@22.23.3" "node24@npm:node-linux-$arch@24.21.0" >&2

status=0
expect() {
  rm -rf files && mkdir files
  echo content >files/source
  chown 1234:4321 files/source
  chmod 6755 files/source
  "node_modules/node$1/bin/node" -e 'require("node:fs").copyFileSync("files/source", "files/copy")'
  seen=$(stat -c '%u:%g %a' files/copy)
  echo "Node.js $("node_modules/node$1/bin/node" -p 'process.version + ", libuv " + process.versions.uv'): $seen"
  [ "$seen" = "$2" ] || { echo "it was $2" >&2; status=1; }
}
expect 20 '0:0 6755'
expect 22 '1234:4321 6755'
expect 24 '1234:4321 6755'
exit "$status"
