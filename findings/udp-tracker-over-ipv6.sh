#!/bin/bash
# bittorrent-tracker 11.2.3, Node.js 20 or newer, loopback only (::1 is needed).
# Expected: its UDP tracker, which listens on IPv6 as well, tells peers of each other there: 18 bytes a peer (BEP 15, IPv6).
# Seen: over IPv6 it counts all peers and lists none of them. It lists only peers with IPv4 addresses, 6 bytes each, to whoever asks
#   by UDP. Over HTTP the same peer hears of others, under `peers6`.
# For us: our tracker is this server with HTTP only, and IPv6 peers find each other (test/integration/tracker-addresses.test.ts).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts bittorrent-tracker@11.2.3 bencode@4.0.1 >/dev/null 2>&1

cat >announce.mjs <<'JS'
import dgram from 'node:dgram'
import { once } from 'node:events'
import bencode from 'bencode'
import Server from 'bittorrent-tracker/server'

const server = new Server({ ws: false })
const hosts = { http: '::1', udp: '127.0.0.1', udp6: '::1' }
await new Promise((listening) => server.listen(0, hosts, listening))

/** Announces to a UDP tracker (BEP 15): who is there, and how many bytes of addresses came. */
async function byUdp(socket, host, { port }, letter) {
  const ask = async (request) => {
    socket.send(request, port, host)
    return (await once(socket, 'message'))[0]
  }
  const connect = Buffer.alloc(16)
  connect.writeBigUInt64BE(0x41727101980n)
  const connection = await ask(connect)
  const request = Buffer.alloc(98)
  connection.copy(request, 0, 8, 16)
  request.writeUInt32BE(1, 8)
  request.fill(0xab, 16, 36)
  request.write(`-XX0001-${letter.repeat(12)}`, 36)
  request.writeBigUInt64BE(1000n, 64)
  request.writeUInt32BE(2, 80)
  request.writeInt32BE(-1, 92)
  request.writeUInt16BE(6000 + letter.charCodeAt(0), 96)
  const answer = await ask(request)
  return `${answer.readUInt32BE(12)} peers, addresses of ${answer.length - 20} bytes`
}

const udp4 = dgram.createSocket('udp4')
const udp6 = dgram.createSocket('udp6')
const seen = []
for (const letter of 'ab') seen.push(`UDP, IPv6: ${await byUdp(udp6, '::1', server.udp6.address(), letter)}`)
const query = `info_hash=${'%ab'.repeat(20)}&peer_id=-XX0001-${'c'.repeat(12)}&port=6500&left=1000&compact=1`
const answer = await fetch(`http://[::1]:${server.http.address().port}/announce?${query}`)
const { incomplete, peers, peers6 } = bencode.decode(Buffer.from(await answer.arrayBuffer()))
seen.push(`HTTP, IPv6: ${incomplete} peers, addresses of ${peers.length} and ${peers6.length} bytes`)
for (const letter of 'd') seen.push(`UDP, IPv4: ${await byUdp(udp4, '127.0.0.1', server.udp4.address(), letter)}`)
console.log(seen.join('\n'))
const found = [
  'UDP, IPv6: 1 peers, addresses of 0 bytes',
  'UDP, IPv6: 2 peers, addresses of 0 bytes',
  'HTTP, IPv6: 3 peers, addresses of 0 and 54 bytes',
  'UDP, IPv4: 4 peers, addresses of 6 bytes',
]
const same = seen.join() === found.join()
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node announce.mjs
