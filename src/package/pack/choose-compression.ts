import type { Compression } from '../../protocol/order.ts'

/** A compression must save a tenth to be worth the wait. */
const WORTHWHILE_RATIO = 0.9

/**
 * The compression of a deploy. With `prefill` it is `none`: only in an uncompressed package is it known where the bytes of an
 * earlier release are. `ratio` is compressed over uncompressed length, from `estimateCompression`. Where a server has no
 * `zstd`, `gzip` takes its place.
 */
export function chooseCompression(options: {
  wanted: 'auto' | Compression
  ratio: number
  prefill: boolean
  zstdEverywhere: boolean
}): Compression {
  const { wanted, ratio, prefill, zstdEverywhere } = options
  if (prefill || wanted === 'none') return 'none'
  if (wanted === 'gzip') return 'gzip'
  if (wanted === 'auto' && ratio >= WORTHWHILE_RATIO) return 'none'
  return zstdEverywhere ? 'zstd' : 'gzip'
}
