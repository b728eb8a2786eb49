import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createTorrent } from '../../../src/torrent/metainfo/create.ts'
import { type Metainfo, parseMetainfo } from '../../../src/torrent/metainfo/metainfo.ts'
import { Participant } from '../../../src/torrent/participant.ts'
import type { ParticipantOptions } from '../../../src/torrent/participant-options.ts'

/** A directory, a torrent and the participants of one test, which `end` stops and removes. */
export class Swarm {
  readonly root: string
  readonly content: string
  readonly torrent: Buffer
  readonly metainfo: Metainfo
  private readonly participants: Participant[] = []

  private constructor(root: string, content: string, torrent: Buffer) {
    this.root = root
    this.content = content
    this.torrent = torrent
    this.metainfo = parseMetainfo(torrent)
  }

  /** `content` is the length of one file, or the lengths of several by path. */
  static async of(
    content: number | Record<string, number>,
    o: { pieceLength?: number; trackers?: string[] } = {},
  ) {
    const root = await mkdtemp(join(tmpdir(), 'swarm-'))
    const path = join(root, 'content')
    const files = typeof content === 'number' ? { '': content } : content
    for (const [name, length] of Object.entries(files)) {
      const file = name === '' ? path : join(path, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, randomBytes(length))
    }
    const { pieceLength = 64 * 1024, trackers = [] } = o
    return new Swarm(root, path, await createTorrent({ source: path, trackers, pieceLength, private: false }))
  }

  async seeder(o: Partial<ParticipantOptions> = {}): Promise<Participant> {
    return this.start({ role: 'seeder', path: this.content, ...o })
  }

  /** A peer that writes to `name` in the swarm's directory. */
  async peer(name: string, others: Participant[], o: Partial<ParticipantOptions> = {}): Promise<Participant> {
    return this.start({ role: 'peer', path: join(this.root, name), peers: others.map(addressOf), ...o })
  }

  private async start(
    o: Partial<ParticipantOptions> & Pick<ParticipantOptions, 'role' | 'path'>,
  ): Promise<Participant> {
    const { metainfo } = this
    const participant = await Participant.start({ metainfo, trackers: [], peers: [], ports: [0, 0], ...o })
    this.participants.push(participant)
    return participant
  }

  /** Whether the file, or every file of the directory, is byte for byte that of the content. */
  async isWhole(name: string): Promise<boolean> {
    for (const { path } of this.metainfo.files) {
      const parts = this.metainfo.singleFile ? [] : path
      const [there, here] = await Promise.all([
        readFile(join(this.root, name, ...parts)),
        readFile(join(this.content, ...parts)),
      ])
      if (!there.equals(here)) return false
    }
    return true
  }

  async end(): Promise<void> {
    await Promise.all(this.participants.map((participant) => participant.stop()))
    await rm(this.root, { recursive: true, force: true })
  }
}

export function addressOf(participant: Participant): string {
  return `127.0.0.1:${participant.port}`
}
