import type { Choice } from '../../page/model/picture.ts'
import type { PictureRecorder } from '../../page/model/recorder.ts'
import type { Announced } from '../../torrent/tracker/tracker-server.ts'
import { SwarmPicture } from './swarm-picture.ts'

/** What is drawn, of a tracker that anybody may announce to: the swarms that were heard of last, and peers of all of them. */
const MAX_SWARMS = 50
const MAX_PEERS = 5000
const SHORT_HASH = 12

/** What is known of a torrent beforehand. */
export interface Content {
  name: string
  size: number
}

/** The pictures of a tracker's swarms. Does no input or output. */
export class Swarms {
  /** By infohash, the one that was heard of last at the end. */
  readonly #pictures = new Map<string, SwarmPicture>()
  readonly #contents: ReadonlyMap<string, Content>
  readonly #none = new SwarmPicture('No torrent has been announced yet', 0)

  /** `contents`: by infohash. */
  constructor(contents: ReadonlyMap<string, Content> = new Map()) {
    this.#contents = contents
  }

  take(announced: Announced): void {
    const { infoHash } = announced
    const { name, size } = this.#contents.get(infoHash) ?? {
      name: `torrent ${infoHash.slice(0, SHORT_HASH)}`,
      size: 0,
    }
    const picture = this.#pictures.get(infoHash) ?? new SwarmPicture(name, size)
    this.#pictures.delete(infoHash)
    this.#pictures.set(infoHash, picture)
    const [oldest] = this.#pictures.keys()
    if (this.#pictures.size > MAX_SWARMS && oldest !== undefined) this.#pictures.delete(oldest)
    picture.take(announced, this.#peers >= MAX_PEERS)
  }

  /** Of the torrent with this infohash, or else of the newest one. */
  recorder(infoHash: string | null): PictureRecorder {
    const [first] = this.choices
    return (this.#pictures.get(infoHash ?? first?.id ?? '') ?? this.#none).recorder
  }

  /** The newest first. */
  get choices(): Choice[] {
    return [...this.#pictures]
      .sort(([, one], [, other]) => other.begunMs - one.begunMs)
      .map(([id, { choice }]) => ({ id, ...choice }))
  }

  get #peers(): number {
    return [...this.#pictures.values()].reduce((sum, { peers }) => sum + peers, 0)
  }
}
