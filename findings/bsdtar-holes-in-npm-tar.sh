#!/bin/bash
# libarchive's bsdtar 3.6.2 (Debian 12, libarchive-tools 3.6.2-1+deb12u5), GNU tar, and npm's tar 7.5.23 and tar-fs 3.1.3 (on
#   tar-stream 3.2.2), Node.js 20 or newer. bsdtar is the tar of macOS, FreeBSD and Windows.
# Expected: npm's readers either unpack what `bsdtar -cf` writes without options, or fail.
# Seen: of a file with a hole they make another one: under `GNUSparseFile.0/` in its directory, with a map of the data in front and
#   without the hole. bsdtar looks for holes by itself, and writes them as GNU's format 1.0 says, in pax headers that both readers
#   skip. No error, no warning. Of GNU tar's older form (`tar -S`) tar-fs fails, while tar leaves the file out in silence.
# For us: a package of ours has holes as zeros (src/package/NOTES.md), and is read by no other program.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts tar@7.5.23 tar-fs@3.1.3 tar-stream@3.2.2 >/dev/null 2>&1
version=$(bsdtar --version) || { echo 'apt-get install libarchive-tools' >&2; exit 2; }
[[ $version == 'bsdtar 3.6.2 '* ]] || { echo "another bsdtar: $version" >&2; exit 2; }

mkdir app
printf 'begin' >app/disk.img
truncate -s 1M app/disk.img
printf 'end' >>app/disk.img
bsdtar -cf bsd.tar app
tar -Scf gnu.tar app

cat >read.mjs <<'JS'
import { createReadStream, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { x } from 'tar'
import { extract } from 'tar-fs'

const readers = {
  tar: (file, cwd) => x({ file, cwd, onwarn: (code) => console.log(`a warning: ${code}`) }),
  'tar-fs': (file, to) => pipeline(createReadStream(file), extract(to)),
}
const whole = readFileSync('app/disk.img')
const seen = []
for (const archive of ['bsd.tar', 'gnu.tar'])
  for (const [name, read] of Object.entries(readers)) {
    const to = mkdtempSync('to-')
    const end = await read(archive, to).then(() => 'no error', () => 'an error')
    const files = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const made = files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return `${path.slice(to.length + 1)} ${readFileSync(path).equals(whole) ? 'whole' : 'other bytes'}`
    })
    seen.push(`${archive}, ${name}: ${end}, ${made.join() || 'no file'}`)
  }
console.log(seen.join('\n'))
const found = [
  'bsd.tar, tar: no error, app/GNUSparseFile.0/disk.img other bytes',
  'bsd.tar, tar-fs: no error, app/GNUSparseFile.0/disk.img other bytes',
  'gnu.tar, tar: no error, no file',
  'gnu.tar, tar-fs: an error, no file',
]
const same = seen.join() === found.join()
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node read.mjs
