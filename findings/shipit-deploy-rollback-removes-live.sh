#!/bin/bash
# shipit-deploy 5.3.0 with shipit-cli 5.3.0, Node.js 20 or newer. A program named ssh stands for a server: it runs the command here.
# Expected: `rollback` leaves the release live that it has just published, also when later deploys ended before they published, say
#   because an installation failed.
# Seen: it publishes that release and then, in its step `deploy:clean`, removes it together with the one that was live before:
#   cleaning keeps the last `keepReleases` by name and never looks at `current`. The link leads nowhere, and the exit code is 0.
#   Five such deploys are needed with the default of `keepReleases`, two with 2.
# For us: cleaning never removes what is live, and counts only what was live (docs/tasks.md;
#   test/integration/deploy-history.test.ts).
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
  shipit.initConfig({ production: { servers: 'deploy@server.example', deployTo: '$work/app', keepReleases: 2 } })
}
JS
# Two releases that were live, one after the other, and two that were never published.
mkdir -p app/releases/{20260101000000,20260102000000,20260103000000,20260104000000}
ln -s releases/20260102000000 app/current

exit_code=0
PATH=$work/bin:$PATH node_modules/.bin/shipit production rollback >log 2>&1 || exit_code=$?
[ "$exit_code" = 0 ] || cat log
seen="exit code $exit_code; current is $(readlink app/current); there are $(cd app/releases && echo *)"
echo "$seen"
found='exit code 0; current is releases/20260101000000; there are 20260103000000 20260104000000'
[ "$seen" = "$found" ] && echo 'as found' && exit 0
echo CHANGED
exit 1
