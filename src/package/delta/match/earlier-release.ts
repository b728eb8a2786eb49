import type { Manifest } from '../format/manifest.ts'
import type { Blocks } from './blocks.ts'
import type { ByteSource } from './byte-source.ts'

/** What the deploy host knows about an earlier release: its manifest, the blocks of large files, and perhaps the content. */
export interface EarlierRelease {
  manifest: Manifest
  /** Blocks of the file with this index. */
  blocksOf(index: number): Blocks | undefined
  /** The content of the file with this index, if it is here and has not changed. */
  open(index: number): ByteSource | undefined
}

/** An earlier file that the new one is compared with. */
export interface Earlier {
  /** Index in the base. */
  file: number
  /** Its bytes, if they are here. */
  content: ByteSource | undefined
  blocks(): Blocks | undefined
}
