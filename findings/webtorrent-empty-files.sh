#!/bin/bash
# WebTorrent 3.0.21, Node.js 20 or newer, loopback only.
# Expected: a directory that one client seeds and another one downloads is the same there when the torrent is done.
# Seen: files without content are not made, nor directories that hold only such: a Python package lacks its `__init__.py`, a site its
#   `.nojekyll`. The torrent has them, `torrent.files` lists them as done, and no event says that they are missing.
# For us: our peers make them; docs/other-clients.md tells of WebTorrent and transmission, and `make-torrent` warns.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts webtorrent@3.0.21 >/dev/null 2>&1
mkdir -p app/models app/jobs
echo 'print(1)' >app/models/user.py
touch app/models/__init__.py app/jobs/__init__.py

cat >copy.mjs <<'JS'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { register } from 'node:module'

// Its WebRTC is native code, which is not built here and not used.
const url = (code) => `data:text/javascript,${encodeURIComponent(code)}`
const none = url('export class RTCPeerConnection {}; export class RTCSessionDescription {}; export class RTCIceCandidate {}')
register(
  url(`export const resolve = (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: ${JSON.stringify(none)}, shortCircuit: true } : next(name, context)`),
)
const { default: WebTorrent } = await import('webtorrent')

const off = { dht: false, lsd: false, utPex: false, utp: false, natUpnp: false, natPmp: false, tracker: false }
const [seeder, peer] = [new WebTorrent(off), new WebTorrent(off)]
const seeded = await new Promise((resolve) => seeder.seed('app', { announceList: [] }, resolve))
const torrent = peer.add(seeded.torrentFile, { path: 'there' })
await once(torrent, 'ready')
torrent.addPeer(`127.0.0.1:${seeder.torrentPort}`)
await once(torrent, 'done')
const listed = torrent.files.map(({ path, length, done }) => `${path} ${length} ${done}`).sort()
peer.destroy()
seeder.destroy()

const made = readdirSync('there', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
const names = made.map(({ name }) => name).join()
console.log(`listed: ${listed.join(', ')}\nmade: ${names}; app/jobs is ${existsSync('there/app/jobs') ? '' : 'not '}there`)
const found = ['app/jobs/__init__.py 0 true', 'app/models/__init__.py 0 true', 'app/models/user.py 9 true']
const same = listed.join() === found.join() && names === 'user.py' && !existsSync('there/app/jobs')
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
timeout 60 node copy.mjs
