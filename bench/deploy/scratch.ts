import { statfs } from 'node:fs/promises'
import { scratchRoot } from '../../test/support/lab/scratch.ts'

const MEMORY = '/dev/shm'
/** Two releases, the package, and as much again for temporary files. */
const TIMES = 6

/**
 * The directory for the files of all hosts of a bench: in memory if they fit into half of it. With many servers on one disk the
 * bench would measure that disk, which the servers of a fleet do not share.
 */
export async function placeFor(servers: number, size: number): Promise<string> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }))
  const fits = servers * size * TIMES < (bavail * bsize) / 2
  return fits ? `${MEMORY}/shipit-murder-lab` : scratchRoot
}
