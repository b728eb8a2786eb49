#!/bin/bash
# create-torrent 6.1.3, which WebTorrent and its command line seed with, Node.js 20 or newer.
# Expected: `filterJunkFiles`, "remove hidden and other junk files? (default = true)", set to false keeps them in the torrent of
#   a directory.
# Seen: it changes nothing for a directory: names that begin with a dot, at any depth and with all that is in them, and
#   Thumbs.db are left out without a word. Named one by one the same hidden files are in, whatever it is set to, and of contents in
#   memory only those like .DS_Store are left out. So a site is seeded without its .htaccess and .well-known.
# For us: `murder make-torrent` takes every file (docs/other-clients.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts create-torrent@6.1.3 parse-torrent@11.0.24 >/dev/null 2>&1
mkdir -p site/.well-known
for name in .htaccess .well-known/security.txt Thumbs.db index.html; do echo content >"site/$name"; done

cat >make.mjs <<'JS'
import { promisify } from 'node:util'
import createTorrent from 'create-torrent'
import parseTorrent from 'parse-torrent'

const make = promisify(createTorrent)
const paths = async (input, filterJunkFiles) => {
  const { files } = await parseTorrent(await make(input, { name: 'site', announceList: [], filterJunkFiles }))
  return files.map(({ path }) => path.replace(/^site\//, '')).sort().join(' ')
}
const named = ['site/.htaccess', 'site/.well-known', 'site/index.html']
const inMemory = ['.DS_Store', '.htaccess', 'index.html']
const contents = () => inMemory.map((name) => Object.assign(Buffer.from('content'), { name }))

let same = true
for (const filter of [true, false]) {
  const seen = [await paths('site', filter), await paths(named, filter), await paths(contents(), filter)]
  console.log(`filterJunkFiles ${filter}: directory: ${seen[0]}; one by one: ${seen[1]}; in memory: ${seen[2]}`)
  const found = [
    'index.html',
    '.htaccess .well-known/security.txt index.html',
    filter ? '.htaccess index.html' : '.DS_Store .htaccess index.html',
  ]
  same &&= seen.every((text, at) => text === found[at])
}
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node make.mjs
