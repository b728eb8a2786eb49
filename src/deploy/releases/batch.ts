import type { Share } from '../../config/kinds.ts'

/** The servers in groups of `batch`, in their order; a share is one of all of them, rounded up. */
export function groupsOf<T>(servers: readonly T[], batch: Share | undefined): T[][] {
  const size =
    batch === undefined
      ? servers.length
      : typeof batch === 'number'
        ? batch
        : Math.ceil((servers.length * Number.parseFloat(batch)) / 100)
  const groups: T[][] = []
  for (let at = 0; at < servers.length; at += Math.max(1, size)) {
    groups.push(servers.slice(at, at + Math.max(1, size)))
  }
  return groups
}
