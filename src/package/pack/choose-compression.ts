import type { Compression } from '../../protocol/order.ts'

/** A compression must save a tenth to be worth the wait. */
const WORTHWHILE_RATIO = 0.9

/**
 * The compression of a package. `ratio` is compressed over uncompressed length, from `estimateCompression`. Where a server's
 * Node has no `zstd`, brotli takes its place, which all have.
 */
export function chooseCompression(options: {
  wanted: 'auto' | Compression
  ratio: number
  zstdEverywhere: boolean
}): Compression {
  const { wanted, ratio, zstdEverywhere } = options
  if (wanted === 'none') return 'none'
  if (wanted === 'gzip' || wanted === 'brotli') return wanted
  if (wanted === 'auto' && ratio >= WORTHWHILE_RATIO) return 'none'
  return zstdEverywhere ? 'zstd' : 'brotli'
}
