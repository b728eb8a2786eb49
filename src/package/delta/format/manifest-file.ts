import type { ByteStream } from '../../format/byte-stream.ts'
import { ByteReader } from '../../format/bytes.ts'
import { packFrame, readFrame } from '../../format/frame.ts'
import { FAST_QUALITY, MAX_FRAME_BYTES } from './effort.ts'
import { EntryReader, EntryWriter } from './entry-columns.ts'
import { type Delivered, type Manifest, manifestOf } from './manifest.ts'

/** Marks whether more frames follow. */
const END = Buffer.from([0])
const MORE = Buffer.from([1])
/** Bytes of entries in a frame. */
const FRAME_BYTES = 4 << 20
/** More than any release needs: a hostile manifest cannot make this process use more memory. */
const MAX_ENTRIES = 2_000_000
const MAX_PATH_LETTERS = 256 << 20

/** A manifest as bytes: pairs of frames, of entries and of their times. */
export async function* writeManifest({ entries }: Manifest): AsyncGenerator<Buffer> {
  const writer = new EntryWriter([])
  const flush = async () => [
    MORE,
    await packFrame(writer.entries.take(), FAST_QUALITY),
    await packFrame(writer.times.take(), FAST_QUALITY),
  ]
  for (const entry of entries) {
    writer.write(entry)
    if (writer.entries.length >= FRAME_BYTES) yield* await flush()
  }
  yield* await flush()
  yield END
}

/** Reads the output of `writeManifest`, which is not trusted. */
export async function readManifest(stream: ByteStream): Promise<Manifest> {
  const reader = new EntryReader([], stream.broken)
  const limit = new EntryLimit(stream.broken)
  const entries: Delivered[] = []
  while ((await stream.byte()) === 1) {
    const told = new ByteReader(await readFrame(stream, MAX_FRAME_BYTES), stream.broken)
    const times = new ByteReader(await readFrame(stream, MAX_FRAME_BYTES), stream.broken)
    while (!told.isDone) {
      const { entry } = reader.read(told, times)
      limit.add(entry)
      entries.push(entry)
    }
  }
  return manifestOf(entries)
}

export class EntryLimit {
  readonly #broken: (why: string) => Error
  #entries = 0
  #letters = 0

  constructor(broken: (why: string) => Error) {
    this.#broken = broken
  }

  add({ path, linkname = '' }: Delivered): void {
    this.#letters += path.length + linkname.length
    if (++this.#entries > MAX_ENTRIES) throw this.#broken(`it has more than ${MAX_ENTRIES} entries`)
    if (this.#letters > MAX_PATH_LETTERS) throw this.#broken('its paths are too long')
  }
}
