import type { Server } from '../../fleet/ssh/server.ts'

/** Whether some server surely needs the package, because no delta is made for it. */
export const isSurelyNeeded = (
  servers: readonly Server[],
  groups: readonly { servers: readonly Server[] }[],
): boolean => {
  const based = new Set(groups.flatMap((group) => group.servers))
  return servers.some((server) => !based.has(server))
}

/** An estimate of the package's length may be off by this factor. */
const MARGIN = 2

/** Whether a delta is smaller than the package, however long that would be. Else the package has to be made to know it. */
export const isClearlySmaller = (deltaBytes: number, estimatedPackageBytes: number): boolean =>
  deltaBytes * MARGIN <= estimatedPackageBytes
