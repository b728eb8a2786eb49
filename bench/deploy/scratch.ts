import { statfs } from 'node:fs/promises'
import { scratchRoot } from '../../test/support/lab/scratch.ts'

const memory = '/dev/shm'
/** Two releases, the package, and as much again for what is written and removed on the way. */
const TIMES = 6

/**
 * Where the files of all hosts of a bench are: in memory if they fit into half of it. Many servers on one disk would measure that
 * disk, which no fleet shares.
 */
export async function placeFor(servers: number, size: number): Promise<string> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }))
  const fits = servers * size * TIMES < (bavail * bsize) / 2
  return fits ? `${memory}/shipit-murder-lab` : scratchRoot
}
