#!/bin/sh
# WebTorrent 3.0.21, Node.js 20 or newer, loopback only.
# Expected: with `secure: 1`, its default, which its source calls "PE + plaintext fallback", a connection that a peer without
#   message stream encryption has closed is tried again with the plain handshake of BEP 3.
# Seen: each of its attempts begins encrypted. Such a peer is never reached, unless it dials itself, or `secure` is 0.
# For us: our agents speak no encryption, so WebTorrent waits until one of them dials it (docs/other-clients.md).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts webtorrent@3.0.21 >/dev/null 2>&1

cat >first-bytes.mjs <<'JS'
import { register } from 'node:module'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

// Its WebRTC is native code, which is not built here and not used.
const url = (code) => `data:text/javascript,${encodeURIComponent(code)}`
const none = url('export class RTCPeerConnection {}; export class RTCSessionDescription {}; export class RTCIceCandidate {}')
register(
  url(`export const resolve = (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: ${JSON.stringify(none)}, shortCircuit: true } : next(name, context)`),
)
const { default: WebTorrent } = await import('webtorrent')

/** The first bytes of each connection that a client makes within some seconds to a peer that closes what is not plain. */
async function attempts(secure) {
  const seen = []
  const peer = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => {
      const isPlain = data.subarray(0, 20).toString('latin1') === '\x13BitTorrent protocol'
      seen.push(isPlain ? 'plain' : 'encrypted')
      if (!isPlain) socket.end()
    })
  })
  await new Promise((listening) => peer.listen(0, '127.0.0.1', listening))
  const off = { dht: false, lsd: false, utPex: false, utp: false, natUpnp: false, natPmp: false, tracker: false }
  const client = new WebTorrent({ ...off, secure })
  const torrent = client.add('magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567', { path: '.' })
  torrent.once('infoHash', () => torrent.addPeer(`127.0.0.1:${peer.address().port}`))
  await sleep(secure ? 25_000 : 3_000)
  peer.close()
  client.destroy()
  return seen
}

const [byDefault, plain] = await Promise.all([attempts(1), attempts(0)])
console.log(`secure 1: ${byDefault.join(', ')}; secure 0: ${plain.join(', ')}`)
const same = byDefault.length > 1 && byDefault.every((first) => first === 'encrypted') && plain[0] === 'plain'
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node first-bytes.mjs
