#!/bin/bash
# bittorrent-tracker 11.2.3, Node.js 20 or newer, loopback only.
# Expected: a client that was killed and starts again on its port, with a new peer id as clients have at each start, is known to the
#   tracker by its `started`: that id, and complete or not as it says now (BEP 3).
# Seen: the tracker keeps the id and the completeness of the one that is gone, as long as there is somebody at that address: a
#   downloader stays a seeder in counts and scrapes, and lists name an id that answers at no handshake. So it also tells a client of
#   itself, however one compares ids. Only `stopped`, or 20 minutes without an announce, end this.
# For us: our tracker is this server, and forgets who was at the address before (docs/by-hand.md, "The tracker";
#   test/unit/torrent/tracker/tracker-server.test.ts).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts bittorrent-tracker@11.2.3 bencode@4.0.1 >/dev/null 2>&1

cat >restart.mjs <<'JS'
import bencode from 'bencode'
import Server from 'bittorrent-tracker/server'

const server = new Server({ udp: false, ws: false })
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const infoHash = '%12'.repeat(20)
const started = async (letter, left) => {
  const query = `info_hash=${infoHash}&peer_id=-XX0001-${letter.repeat(12)}&port=5000&left=${left}&event=started&compact=0`
  const answer = await fetch(`http://127.0.0.1:${server.http.address().port}/announce?${query}`)
  const { complete, incomplete, peers } = bencode.decode(Buffer.from(await answer.arrayBuffer()))
  return `${complete} complete, ${incomplete} not: ${peers.map((peer) => Buffer.from(peer['peer id']))}`
}
const seen = [await started('a', 0), await started('b', 1000)]
console.log(`a seeder starts: ${seen[0]}\nanother client starts on its port, and lacks all: ${seen[1]}`)
const same = seen.every((text) => text === '1 complete, 0 not: -XX0001-aaaaaaaaaaaa')
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node restart.mjs
