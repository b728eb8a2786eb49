import type { Server } from '../../fleet/ssh/server.ts'
import type { Transfer } from '../transfer/transfer.ts'

/** A delta, and the servers that have its base. */
export interface Made {
  servers: readonly Server[]
  delta: Transfer
}

/** The smallest delta of each server: one with a staged release may have two. */
export function smallestDeltas(made: readonly Made[]): Map<Server, Transfer> {
  const smallest = new Map<Server, Transfer>()
  for (const { servers, delta } of made)
    for (const server of servers)
      if (delta.length < (smallest.get(server)?.length ?? Number.POSITIVE_INFINITY))
        smallest.set(server, delta)
  return smallest
}

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

/** Whether a delta is smaller than the package by any estimate. Otherwise the package has to be made to compare them. */
export const isClearlySmaller = (deltaBytes: number, estimatedPackageBytes: number): boolean =>
  deltaBytes * MARGIN <= estimatedPackageBytes
