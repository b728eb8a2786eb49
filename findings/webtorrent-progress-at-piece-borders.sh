#!/bin/bash
# WebTorrent 3.0.21, Node.js 20 or newer, no network.
# Expected: when a torrent is done, `progress` of each file that has bytes is 1 and `downloaded` its length.
# Seen: of a file that ends where a piece ends, the last piece is counted as not its own: one of two whole pieces stays at 0.5,
#   one of a single piece at 0. Padding (BEP 47) always ends there and begins inside of a piece, so in the hybrid torrents
#   that libtorrent makes it is below 0. `done` of the same files is true, and so is the torrent's.
# For us: who waits for WebTorrent in a swarm waits for `done` (docs/other-clients.md). Our own numbers are of the torrent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts webtorrent@3.0.21 bencode@4.0.1 >/dev/null 2>&1

cat >progress.mjs <<'JS'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { dirname, join } from 'node:path'
import bencode from 'bencode'

// Its WebRTC is native code, which is not built here and not used.
const url = (code) => `data:text/javascript,${encodeURIComponent(code)}`
const none = url('export class RTCPeerConnection {}; export class RTCSessionDescription {}; export class RTCIceCandidate {}')
register(
  url(`export const resolve = (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: ${JSON.stringify(none)}, shortCircuit: true } : next(name, context)`),
)
const { default: WebTorrent } = await import('webtorrent')

const PIECE = 16_384
const PAD = PIECE - 5
const files = [
  { path: ['five'], length: 5 },
  { path: ['.pad', String(PAD)], length: PAD, attr: 'p' },
  { path: ['one-piece'], length: PIECE },
  { path: ['two-pieces'], length: 2 * PIECE },
  { path: ['not-whole'], length: PIECE + 7 },
]
const content = Buffer.concat(files.map(({ length, attr }, at) => Buffer.alloc(length, attr === 'p' ? 0 : at + 1)))
const digests = []
for (let at = 0; at < content.length; at += PIECE)
  digests.push(createHash('sha1').update(content.subarray(at, at + PIECE)).digest())
let at = 0
for (const { path, length } of files) {
  const file = join('site', ...path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content.subarray(at, at + length))
  at += length
}

const off = { dht: false, lsd: false, utPex: false, utp: false, natUpnp: false, natPmp: false, tracker: false }
const client = new WebTorrent(off)
const info = { files, name: 'site', 'piece length': PIECE, pieces: Buffer.concat(digests) }
const torrent = client.add(bencode.encode({ info }), { path: '.' })
await once(torrent, 'done')
const seen = torrent.files.map(({ name, done, downloaded, progress }) => ({ name, done, downloaded, progress }))
console.table(seen)
const allDone = torrent.progress === 1 && seen.every(({ done }) => done)
client.destroy()

const counted = seen.map(({ downloaded }) => downloaded).join(' ')
const same = allDone && counted === [5, -5, 0, PIECE, PIECE + 7].join(' ')
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
timeout 40 node progress.mjs
