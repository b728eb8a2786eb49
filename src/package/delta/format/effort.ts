/** Both ends hold one frame in memory, both plain and compressed. */
export const MAX_FRAME_BYTES = 16 << 20

/** Up to this many bytes the best quality takes at most a few tenths of a second, for hashes. */
const MAX_BEST_BYTES = 32 << 10
const BEST_QUALITY = 11
const MAX_GOOD_BYTES = 2 << 20
const GOOD_QUALITY = 9
/** For what is kept where it was made, and for the later parts of a long delta. */
export const FAST_QUALITY = 5

/** What travels to many servers is worth more time. */
export const travelQuality = (bytes: number): number =>
  bytes <= MAX_BEST_BYTES ? BEST_QUALITY : bytes <= MAX_GOOD_BYTES ? GOOD_QUALITY : FAST_QUALITY
