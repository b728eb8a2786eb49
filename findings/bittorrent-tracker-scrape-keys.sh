#!/bin/bash
# bittorrent-tracker 11.2.3, Node.js 20 or newer, loopback only.
# Expected: a scrape names each torrent by the 20 raw bytes of its infohash (BEP 48), and a peer list that is not compact has the
#   20 bytes of each peer id (BEP 3).
# Seen: the server writes such bytes as if they were Latin-1 text in UTF-8, two bytes for each from 0x80 on: the key of an infohash
#   of 20 high bytes has 40. Nearly every infohash has some, so a client that looks for its torrent does not find it. The
#   module's own client undoes this, so the two agree; but of a right answer it makes an infohash of 80 hex digits.
# Origin: the peer id is https://github.com/webtorrent/bittorrent-tracker/issues/460
# For us: our tracker is this server, and puts the bytes right (docs/by-hand.md, "The tracker").
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts bittorrent-tracker@11.2.3 >/dev/null 2>&1

cat >scrape.mjs <<'JS'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { register } from 'node:module'

// Its WebRTC is native code, which is not built here and not used.
const url = (code) => `data:text/javascript,${encodeURIComponent(code)}`
const none = url('export class RTCPeerConnection {}; export class RTCSessionDescription {}; export class RTCIceCandidate {}')
register(
  url(`export const resolve = (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: ${JSON.stringify(none)}, shortCircuit: true } : next(name, context)`),
)
const { default: Client, Server } = await import('bittorrent-tracker')

const HASH = Buffer.from('e7'.repeat(20), 'hex')
const PEER = Buffer.from('2d5858303030312d80ff0102030405060708090a', 'hex')
const escape = (bytes) => bytes.toString('hex').replace(/../g, '%$&')

/** The infohash that the module's client reads from what is served at this port. */
const clientReads = (port) =>
  new Promise((resolve) => {
    const client = new Client({
      announce: `http://127.0.0.1:${port}/announce`, infoHash: HASH, peerId: Buffer.alloc(20, 'a'), port: 1,
    })
    const end = (seen) => client.destroy(() => resolve(seen))
    client.once('scrape', ({ infoHash }) => end(infoHash))
    client.once('warning', end)
    client.once('error', end)
    client.scrape()
  })

const server = new Server({ udp: false, ws: false })
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const { port } = server.http.address()
const get = async (path) => Buffer.from(await (await fetch(`http://127.0.0.1:${port}${path}`)).arrayBuffer())
const listed = await get(`/announce?info_hash=${escape(HASH)}&peer_id=${escape(PEER)}&port=5000&left=0&compact=0`)
const scraped = await get(`/scrape?info_hash=${escape(HASH)}`)

const right = createServer((_, response) =>
  response.end(
    Buffer.concat([Buffer.from('d5:filesd20:'), HASH, Buffer.from('d8:completei1e10:downloadedi1e10:incompletei0eeee')]),
  ),
).listen(0, '127.0.0.1')
await once(right, 'listening')

const seen = {
  scrapeKey: Number(/5:filesd(\d+):/.exec(scraped)[1]),
  peerId: Number(/7:peer id(\d+):/.exec(listed)[1]),
  ownClientOfServer: (await clientReads(port)).length,
  ownClientOfRightAnswer: (await clientReads(right.address().port)).length,
}
const found = { scrapeKey: 40, peerId: 22, ownClientOfServer: 40, ownClientOfRightAnswer: 80 }
console.log('bytes of a scrape key and of a peer id; digits of an infohash:', seen)
const same = JSON.stringify(seen) === JSON.stringify(found)
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node scrape.mjs
