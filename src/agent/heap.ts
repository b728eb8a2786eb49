/**
 * How Node is started for a peer. Room for young objects, MB: Node would let it grow to three times 16, and a torrent of 20,000
 * files would then cost 200 MB for as long as the process runs, for what is garbage after its first second. With this it is 140 MB.
 */
export const HEAP = ['--max-semi-space-size=4']
