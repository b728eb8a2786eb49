import { connect } from 'node:net'
import { argv, env, stdin } from 'node:process'
import { setInterval } from 'node:timers'
import { setTimeout } from 'node:timers/promises'
import bencode from 'bencode'
import { trackerPath } from '../../src/torrent/access/secret.ts'
import { RawWire } from '../support/raw-wire.ts'

/**
 * A peer that proves to know the secret, says that it has everything, takes all requests, and answers none: or at 1 KB/s, and
 * not with what was asked for; or it comes under many names, sends of each piece only the beginning, which is wrong, and rejects
 * the rest or hangs up; or it tells peers and tracker of the address in $OUTSIDE, port 6881. Arguments: `silent`, `slow`, `rejects`,
 * `hangs up` or `tells`, infohash, hosts, of which the first has the tracker; the secret comes on standard input.
 */
const [, , manner, infoHash = '', ...hosts] = argv
const [UNCHOKE, INTERESTED, REQUEST, HAVE_ALL, REJECT] = [1, 2, 6, 14, 16]
const isWrong = manner === 'rejects' || manner === 'hangs up'
const NAMES = isWrong ? 16 : 1
const PORTS = [6881, 6882]
const { OUTSIDE = '' } = env
const PEX = 2

/** By peer exchange (BEP 11). */
function tellOfOutside(wire: RawWire): void {
  wire.sendExtendedHandshake({ m: { murder: 1, murder_proof: 20, ut_pex: PEX } })
  const added = Buffer.from([...OUTSIDE.split('.').map(Number), 6881 >> 8, 6881 & 255])
  wire.sendExtended(PEX, bencode.encode({ added, 'added.f': Buffer.from([0]) }))
}

/** Announces as if it were there. */
async function announceOutside(tracker: string, secret: string): Promise<void> {
  const id = `info_hash=${infoHash.replace(/../g, '%$&')}&peer_id=${'%41'.repeat(20)}&port=6881&left=0`
  const url = `http://${tracker}:8998/${trackerPath(secret)}/announce?${id}&ip=${OUTSIDE}`
  const answer = await fetch(url).then((response) => response.text(), String)
  console.log(`tracker: ${answer}`)
}

async function beBadTo(host: string, port: number, secret: string): Promise<void> {
  for (;;) {
    const socket = connect(port, host)
    const isUp = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (isUp) {
      const wire = new RawWire(socket, { infoHash, secret }, true)
      await wire.shakeHands().catch(() => {})
      if (manner === 'tells') {
        tellOfOutside(wire)
        console.log(`told ${host}:${port}`)
      }
      wire.send(HAVE_ALL)
      wire.send(INTERESTED)
      // Again and again: whoever has a limit asks for something only when that allows it.
      const invitations = setInterval(() => wire.send(UNCHOKE), 50)
      let requests = 0
      let trickle: NodeJS.Timeout | undefined
      wire.onMessage = ({ id, body }) => {
        if (id !== REQUEST) return
        if (++requests === 1) console.log(`asked by ${host}:${port}`)
        if (isWrong) {
          if (body.readUInt32BE(4) > 0) wire.send(REJECT, body)
          else wire.sendBlock(body.readUInt32BE(0), 0, Buffer.alloc(body.readUInt32BE(8)))
          if (manner === 'hangs up') socket.end()
        }
        if (manner !== 'slow' || trickle) return
        const header = Buffer.alloc(13)
        header.writeUInt32BE(9 + body.readUInt32BE(8))
        header[4] = 7
        body.copy(header, 5, 0, 8)
        socket.write(header)
        trickle = setInterval(() => socket.write(Buffer.alloc(100)), 100)
      }
      await wire.closed
      clearInterval(trickle)
      clearInterval(invitations)
    }
    await setTimeout(100)
  }
}

let secret = ''
stdin.on('data', (chunk) => {
  secret += chunk
})
stdin.on('end', () => {
  if (manner === 'tells') void announceOutside(hosts[0] ?? '', secret)
  for (const host of hosts)
    for (const port of PORTS) for (let name = 0; name < NAMES; name++) void beBadTo(host, port, secret)
})
