import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyDelta } from '../../../../src/package/delta/apply-delta.ts'
import { directoryRelease } from '../../../../src/package/delta/base/directory-release.ts'
import { manifestOfDirectory } from '../../../../src/package/delta/base/manifest-of-directory.ts'
import { makeSignature, openSignature } from '../../../../src/package/delta/base/signature.ts'
import type { Manifest } from '../../../../src/package/delta/format/manifest.ts'
import { makeDelta } from '../../../../src/package/delta/make-delta.ts'
import type { ByteSource } from '../../../../src/package/delta/match/byte-source.ts'
import type { EarlierRelease } from '../../../../src/package/delta/match/earlier-release.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { makeWhole } from '../../../../src/package/unpack/unpack.ts'
import { plant, type Tree } from '../trees.ts'

/** What is known of the old release where the delta is made. */
export type Knowledge = 'content' | 'signature'

const manifestAt = (root: string): Promise<Manifest> => manifestOfDirectory(root, scan(root))

export async function collect(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const part of parts) all.push(Buffer.from(part))
  return Buffer.concat(all)
}

/** The bytes in parts of any length, in one buffer that is used again. */
export async function* inParts(bytes: Buffer, length = 1000): AsyncGenerator<Buffer> {
  const part = Buffer.alloc(length)
  for (let at = 0; at < bytes.length; at += length)
    yield part.subarray(0, bytes.copy(part, 0, at, at + length))
}

/** Two releases below `place`, and what is known of them. */
export class Pair {
  readonly old: string
  readonly next: string
  readonly into: string
  readonly place: string
  base: Manifest = { id: '', entries: [] }
  manifest: Manifest = { id: '', entries: [] }

  private constructor(place: string) {
    this.place = place
    this.old = join(place, 'old')
    this.next = join(place, 'new')
    this.into = join(place, 'into')
  }

  static async of(place: string, old: Tree, next: Tree): Promise<Pair> {
    const pair = new Pair(place)
    for (const [root, tree] of [
      [pair.old, old],
      [pair.next, next],
    ] as const) {
      rmSync(root, { recursive: true, force: true })
      mkdirSync(root, { recursive: true })
      plant(root, tree)
    }
    pair.base = await manifestAt(pair.old)
    pair.manifest = await manifestAt(pair.next)
    return pair
  }

  async delta(knowledge: Knowledge = 'content'): Promise<Buffer> {
    const base = knowledge === 'content' ? directoryRelease(this.old, this.base) : await this.#signed()
    return collect(makeDelta({ root: this.next, manifest: this.manifest, base }))
  }

  apply(delta: Buffer, id = this.manifest.id, into = this.into) {
    rmSync(into, { recursive: true, force: true })
    const options = { parts: inParts(delta), from: this.old, base: this.base, id }
    return makeWhole({ into }, (destination) => applyDelta(destination, options))
  }

  async #signed(): Promise<EarlierRelease> {
    const file = join(this.place, 'signature')
    const content = directoryRelease(this.old, this.base)
    const open = (_: unknown, index: number): ByteSource | undefined => content.open(index)
    writeFileSync(file, await collect(makeSignature(this.base, open)))
    const { manifest, blocksOf } = await openSignature(file)
    return { manifest, blocksOf, open: () => undefined }
  }
}
