#!/bin/bash
# ssh-pool 5.3.0, which Shipit's `shipit.remote` is, Node.js 20 or newer. A program named ssh stands for a server: it runs the
#   command here, with the environment of a fresh login.
# Expected: `remote('npm ci', { cwd: releasePath })` rejects when the command fails, as it does without `cwd`.
# Seen: it resolves. The command line ends with `; cd - > /dev/null`, whose exit code is the answer, so a failed installation or
#   migration is a success, and the deploy goes on to publish. Only a directory that is missing, or a command that is `exit` of the
#   shell itself, is noticed.
# Origin: https://github.com/shipitjs/shipit/issues/215, open since 2018; pull request 265 reached only the missing directory
# For us: `shipit.murder.servers().run()` has `cwd` and takes the command's own exit code (docs/rollout.md); docs/troubleshooting.md
#   tells those who use `shipit.remote`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts ssh-pool@5.3.0 >/dev/null 2>&1

mkdir bin there
cat >bin/ssh <<'SH'
#!/bin/bash
exec env -i PATH="$PATH" HOME="$HOME" bash -c "${!#}"
SH
chmod +x bin/ssh

cat >run.cjs <<'JS'
const { Connection } = require('ssh-pool')
const connection = new Connection({ remote: 'deploy@server.example' })
const outcome = (command, options) => connection.run(command, options).then(() => 'resolved', () => 'rejected')
const fails = 'ls /missing'
const cwd = `${process.cwd()}/there`

async function main() {
  const seen = {
    'it fails': await outcome(fails),
    'it fails, with cwd': await outcome(fails, { cwd }),
    'its second part fails, with cwd': await outcome(`true && ${fails}`, { cwd }),
    'the directory is missing': await outcome('true', { cwd: `${cwd}/missing` }),
  }
  console.log(seen)
  const same = Object.values(seen).join() === 'rejected,resolved,resolved,rejected'
  console.log(same ? 'as found' : 'CHANGED')
  process.exit(same ? 0 : 1)
}
main()
JS
PATH=$work/bin:$PATH node run.cjs
