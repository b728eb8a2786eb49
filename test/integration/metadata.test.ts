import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { newSecret } from '../../src/torrent/access/secret.ts'
import {
  decodeMetadataMessage,
  encodeData,
  encodeRequest,
  type MetadataMessage,
} from '../../src/torrent/metadata/messages.ts'
import { MetadataUploadPolicy } from '../../src/torrent/metadata/upload-policy.ts'
import { createTorrent } from '../../src/torrent/metainfo/create.ts'
import { type Magnet, magnetOf, metainfoOfMagnet } from '../../src/torrent/metainfo/magnet.ts'
import { parseMetainfo } from '../../src/torrent/metainfo/metainfo.ts'
import type { Participant } from '../../src/torrent/participant.ts'
import type { ParticipantOptions } from '../../src/torrent/participant-options.ts'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire, type RawWireOptions } from '../support/raw-wire.ts'

const EXTENDED = 20
/** The ids of `ut_metadata`: ours, and the one that the raw wire offers. */
const OURS = 3
const THEIRS = 9
const secret = newSecret()

let swarm: Swarm
let seeder: Participant
const wires: RawWire[] = []

beforeEach(async () => {
  swarm = await Swarm.of(1000 * 16_384, { pieceLength: 16_384 }) // two messages of metadata
})

afterEach(async () => {
  vi.restoreAllMocks()
  for (const wire of wires.splice(0)) wire.close()
  await swarm.end()
})

async function dial(o: Partial<RawWireOptions> = {}): Promise<RawWire> {
  const wire = await RawWire.dial(seeder.port, { infoHash: swarm.metainfo.infoHash, ...o })
  wires.push(wire)
  wire.sendHandshake()
  wire.sendExtendedHandshake({ m: { murder_proof: 20, ut_metadata: THEIRS } })
  return wire
}

/** Asks, and resolves when `count` answers are here. */
async function ask(wire: RawWire, pieces: number[]): Promise<MetadataMessage[]> {
  const answers: MetadataMessage[] = []
  const all = new Promise<void>((resolve) => {
    wire.onMessage = ({ id, body }) => {
      if (id !== EXTENDED || body[0] !== THEIRS) return
      answers.push(decodeMetadataMessage(body.subarray(1)) as MetadataMessage)
      if (answers.length === pieces.length) resolve()
    }
  })
  for (const piece of pieces) wire.sendExtended(OURS, encodeRequest(piece))
  await all
  return answers
}

describe('metadata by BEP 9', () => {
  it('is offered with its size, and comes in pieces', async () => {
    seeder = await swarm.seeder()
    const { info } = swarm.metainfo
    const wire = await dial()
    expect((await wire.next(EXTENDED)).toString('latin1')).toContain(`13:metadata_sizei${info.length}e`)
    const [first, last, none] = await ask(wire, [0, 1, 2])
    const parts = [first, last].map((answer) => (answer?.type === 'data' ? answer.bytes : Buffer.alloc(0)))
    expect(Buffer.concat(parts).equals(info)).toBe(true)
    expect(none).toEqual({ type: 'reject', piece: 2 })
  })

  it('does not come without end: a flood of requests is rejected', async () => {
    seeder = await swarm.seeder()
    const answers = await ask(await dial(), new Array(1000).fill(0))
    const given = answers.filter(({ type }) => type === 'data')
    expect(given).toHaveLength(4)
    expect(answers.slice(4).every(({ type }) => type === 'reject')).toBe(true)
  })

  it('goes only to those who have proved that they know the secret', async () => {
    seeder = await swarm.seeder({ secret })
    const member = await dial({ secret })
    await member.next(EXTENDED)
    member.sendExtended(20, member.proof())
    expect(await ask(member, [0])).toMatchObject([{ type: 'data' }])
    const stranger = await dial()
    await stranger.next(EXTENDED)
    stranger.sendExtended(OURS, encodeRequest(0))
    await stranger.closed
    expect(stranger.messages.filter(({ body }) => body[0] === THEIRS)).toEqual([])
  })
})

describe('a peer that knows only the infohash', () => {
  const byMagnet = (onVerified: (info: Uint8Array) => void = () => {}): Partial<ParticipantOptions> => {
    const magnet = magnetOf(swarm.metainfo) as Magnet
    const { sha256, size } = magnet
    return { metainfo: metainfoOfMagnet(magnet), metadata: { sha256, size, onVerified } }
  }

  it('fetches the metadata and the content at once, and keeps it', async () => {
    seeder = await swarm.seeder({ secret, fleet: 1 })
    let kept: Uint8Array | undefined
    const peer = await swarm.peer('a', [seeder], { secret, fleet: 1, ...byMagnet((info) => (kept = info)) })
    await peer.complete
    expect(kept).toEqual(swarm.metainfo.info)
    expect(await swarm.isWhole('a')).toBe(true)
  })

  it('does not fetch zeros', async () => {
    const path = join(swarm.root, 'sparse')
    await writeFile(path, 'text')
    await truncate(path, swarm.metainfo.length)
    const torrent = await createTorrent({ source: path, trackers: [], pieceLength: 16_384 })
    const metainfo = parseMetainfo(torrent)
    seeder = await swarm.seeder({ metainfo, path, secret, fleet: 1 })
    const magnet = magnetOf(metainfo) as Magnet
    const metadata = { ...magnet, onVerified: () => {} }
    const peer = await swarm.peer('a', [seeder], {
      metainfo: metainfoOfMagnet(magnet),
      metadata,
      secret,
      fleet: 1,
    })
    await peer.complete
    expect((await readFile(join(swarm.root, 'a'))).equals(await readFile(path))).toBe(true)
    expect(peer.stats().received).toBeLessThan(metainfo.length / 2)
  })

  it('has the metadata from others: it leaves the seeder about once', async () => {
    const { gives: decide } = MetadataUploadPolicy.prototype
    // No time passes, so that a slow machine does not let anybody have a second copy.
    const gives = vi.spyOn(MetadataUploadPolicy.prototype, 'gives').mockImplementation(function (
      this: MetadataUploadPolicy,
      who,
      piece,
    ) {
      return decide.call(this, who, piece, 0)
    })
    seeder = await swarm.seeder({ secret, fleet: 5 })
    const names = ['a', 'b', 'c', 'd', 'e']
    const peers: Participant[] = []
    for (const name of names)
      peers.push(await swarm.peer(name, [seeder, ...peers], { secret, fleet: 5, ...byMagnet() }))
    const lacking = () => peers.filter((peer) => peer.stats().lacksHashes)
    await vi.waitFor(() => expect(lacking()).toEqual([]), 8000)
    const { contexts, results } = gives.mock
    const givers = contexts.filter((_, call) => results[call]?.value === true)
    expect(givers).toHaveLength(2 * names.length)
    expect(givers.filter((giver) => giver === givers[0]).length).toBeLessThan(names.length)
  })

  it('gets it right although a member that claims to have it sends wrong bytes, and bans that', async () => {
    const peer = await swarm.peer('a', [], { secret, fleet: 2, ...byMagnet() })
    const { info } = swarm.metainfo
    const liar = await RawWire.dial(peer.port, { infoHash: swarm.metainfo.infoHash, secret, port: 1000 })
    wires.push(liar)
    liar.sendHandshake()
    liar.sendExtendedHandshake({
      m: { murder: 1, murder_proof: 20, ut_metadata: THEIRS },
      metadata_size: info.length,
    })
    await liar.next(EXTENDED)
    let copies = 0
    liar.onMessage = ({ id, body }) => {
      const isMetadata = id === EXTENDED && body[0] === THEIRS
      const message = isMetadata ? decodeMetadataMessage(body.subarray(1)) : undefined
      if (message?.type !== 'request') return
      copies += message.piece
      const length = message.piece === 0 ? 16_384 : info.length - 16_384
      liar.sendExtended(OURS, encodeData(message.piece, info.length, Buffer.alloc(length, 'wrong')))
    }
    liar.sendExtended(20, liar.proof())
    await vi.waitFor(() => expect(peer.stats().banned).toEqual(['127.0.0.1:1000']))
    expect(copies).toBe(2) // the first time it might have been another member's fault
    seeder = await swarm.seeder({ secret, fleet: 2, peers: [`127.0.0.1:${peer.port}`] })
    await peer.complete
    expect(await swarm.isWhole('a')).toBe(true)
  })

  it('says what it lacks when nobody has it', async () => {
    const first = await swarm.peer('a', [], byMagnet())
    const second = await swarm.peer('b', [first], byMagnet())
    await vi.waitFor(() => expect(second.stats()).toMatchObject({ peers: 1, lacksHashes: true }))
  })
})
