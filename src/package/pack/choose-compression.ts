import type { Compression } from '../../protocol/order.ts'

/** What a compression must save to be worth the wait for it: a tenth. */
const WORTHWHILE_RATIO = 0.9

/**
 * The compression of a deploy. With `prefill` it is `none`: only an uncompressed package has the bytes of an earlier
 * release at known places. `ratio` is compressed over uncompressed, from `estimateCompression`.
 * `zstd` is for fleets where every server has it, else `gzip` takes its place.
 */
export function chooseCompression(choice: {
  wanted: 'auto' | Compression
  ratio: number
  prefill: boolean
  zstdEverywhere: boolean
}): Compression {
  const { wanted, ratio, prefill, zstdEverywhere } = choice
  if (prefill || wanted === 'none') return 'none'
  if (wanted === 'gzip') return 'gzip'
  if (wanted === 'auto' && ratio >= WORTHWHILE_RATIO) return 'none'
  return zstdEverywhere ? 'zstd' : 'gzip'
}
