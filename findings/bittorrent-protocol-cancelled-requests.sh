#!/bin/bash
# bittorrent-protocol 5.0.9, WebTorrent's wire, Node.js 20 or newer. Two of its ends are piped together, with BEP 6 on.
# Expected: every request is answered by the block or by a reject, also one that is cancelled (BEP 6). The module does answer all
#   requests with rejects when it chokes.
# Seen: a cancelled request is never answered. The block that the program hands over afterwards is dropped, too, without an error.
#   Another client that cancels what has come from elsewhere waits for the answer until it gives the neighbour up.
# Origin: transmission did the same, and other clients timed out: https://github.com/transmission/transmission/issues/511
# For us: our uploader rejects what other clients cancel (src/torrent/peers/limits/upload-queue.ts and its test).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts bittorrent-protocol@5.0.9 >/dev/null 2>&1

cat >cancel.mjs <<'JS'
import { setTimeout as pause } from 'node:timers/promises'
import Wire from 'bittorrent-protocol'

const [LENGTH, REQUEST, PIECE, CANCEL, REJECT] = [16_384, 6, 7, 8, 16]
const names = { [REQUEST]: 'request', [PIECE]: 'piece', [CANCEL]: 'cancel', [REJECT]: 'reject' }
const hash = Buffer.alloc(20, 1)

async function conversation(act) {
  const [asks, has] = [new Wire(), new Wire()]
  const sent = []
  // What a wire sends, by its own method for messages with numbers.
  for (const wire of [asks, has]) {
    const message = wire._message
    wire._message = function (id, ...rest) {
      if (id in names) sent.push(names[id])
      return message.call(this, id, ...rest)
    }
  }
  asks.pipe(has).pipe(asks)
  let handOver
  has.on('request', (piece, offset, length, respond) => { handOver = () => respond(null, Buffer.alloc(length)) })
  for (const wire of [asks, has]) wire.handshake(hash, Buffer.alloc(20, 2), { fast: true })
  await pause(100)
  if (!asks.hasFast || !has.hasFast) throw new Error('no BEP 6')
  has.unchoke()
  await pause(100)
  asks.request(0, 0, LENGTH, () => {})
  await pause(100)
  act({ asks, has })
  await pause(100)
  handOver()
  await pause(100)
  return sent.join(', ')
}

const seen = {
  'nothing happens': await conversation(() => {}),
  'it chokes': await conversation(({ has }) => has.choke()),
  'the other cancels': await conversation(({ asks }) => asks.cancel(0, 0, LENGTH)),
}
console.log(seen)
const same = Object.values(seen).join('; ') === 'request, piece; request, reject; request, cancel'
console.log(same ? 'as found' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node cancel.mjs
