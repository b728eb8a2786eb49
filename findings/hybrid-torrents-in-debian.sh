#!/bin/bash
# aria2 1.36.0-1 and transmission-cli 3.00-2.1+deb12u1 (Debian 12), Node.js 20 or newer to write the torrents; needs both installed.
# Expected: a client that knows only BitTorrent v1 reads a hybrid torrent (BEP 52), which libtorrent makes where nothing else is
#   asked for, as one of v1, and its infohash is the SHA-1 of the bytes of `info`.
# Seen: aria2 computes another infohash, without an error, and so is alone in a swarm of its own. transmission cannot read the
#   torrent. Both stumble over a key of no bytes, which the `file tree` has for each file, although it is in a part that v1 ignores:
#   aria2's infohash is that of a torrent which lacks these keys.
# Origin: https://github.com/aria2/aria2/issues/1903, mended in 1.37
# For us: hybrid torrents are read as v1 with libtorrent's infohash (test/integration/interop-torrents.test.ts), those that we make
#   are v1, and docs/other-clients.md warns.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for needed in aria2=1.36.0-1 transmission-cli=3.00-2.1+deb12u1; do
  version=$(dpkg-query -W -f '${Version}' "${needed%%=*}" 2>/dev/null) || true
  [ "$version" = "${needed#*=}" ] || { echo "needs: apt-get install $needed" >&2; exit 2; }
done

cat >make.mjs <<'JS'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const digest = (name, bytes) => createHash(name).update(bytes).digest()
function bencode(value) {
  if (typeof value === 'number') return Buffer.from(`i${value}e`)
  if (typeof value === 'string') return bencode(Buffer.from(value))
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(`${value.length}:`), value])
  const pairs = Object.keys(value).sort().flatMap((key) => [bencode(key), bencode(value[key])])
  return Buffer.concat([Buffer.from('d'), ...pairs, Buffer.from('e')])
}

// One file of one block: its hash is the root of its tree, and it has no layer of pieces.
const content = Buffer.from('hello')
const file = { length: content.length, 'pieces root': digest('sha256', content) }
const v1 = { name: 'hello.txt', length: content.length, 'piece length': 16_384, pieces: digest('sha1', content) }
const infos = {
  v1,
  hybrid: { ...v1, 'meta version': 2, 'file tree': { 'hello.txt': { '': file } } },
  without: { ...v1, 'meta version': 2, 'file tree': { 'hello.txt': {} } },
}
for (const [name, info] of Object.entries(infos)) {
  writeFileSync(`${name}.torrent`, bencode({ announce: 'http://127.0.0.1:9/announce', info, 'piece layers': {} }))
  console.log(digest('sha1', bencode(info)).toString('hex'))
}
JS
{ read -r v1; read -r hybrid; read -r without; } < <(node make.mjs)
by_aria2() { aria2c -S "$1.torrent" | sed -n 's/^Info Hash: //p'; }
by_transmission() { transmission-show "$1.torrent" 2>/dev/null | sed -n 's/^ *Hash: //p'; }

same=1
expect() { # WHAT SEEN FOUND
  echo "$1: ${2:-cannot be read}"
  [ "$2" = "$3" ] || { echo "it was: $3" >&2; same=0; }
}
expect "v1, $v1, aria2" "$(by_aria2 v1)" "$v1"
expect "v1, $v1, transmission" "$(by_transmission v1)" "$v1"
expect "hybrid, $hybrid, aria2" "$(by_aria2 hybrid)" "$without"
expect "hybrid, $hybrid, transmission" "$(by_transmission hybrid || true)" ''
[ "$same" = 1 ] && echo 'as found' && exit 0
echo CHANGED
exit 1
