import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { bytes } from '../../text/format.ts'
import type { ServerFacts } from '../scripts/facts-script.ts'
import type { Transfer } from '../transfer/transfer.ts'
import type { FleetFacts } from './preflight.ts'

/** Bytes that are missing for the package and the unpacked release; 0 when there is room for both. */
export function missingSpace(facts: ServerFacts, packageBytes: number, releaseBytes: number): number {
  const { temporary, releases } = facts
  if (temporary.fileSystem === releases.fileSystem) {
    return Math.max(0, packageBytes + releaseBytes - releases.free)
  }
  return Math.max(0, packageBytes - temporary.free, releaseBytes - releases.free)
}

/** Inodes of a transfer besides the release: package, torrent, notes and their directories. */
const OWN_INODES = 20

/** Inodes that are missing for a release of so many entries; 0 when there are enough. */
export function missingInodes(
  { temporary, releases }: ServerFacts,
  entries: number,
  directory = false,
): number {
  const apart = temporary.fileSystem !== releases.fileSystem
  // Files that were fetched one by one are there twice, or have a second name on the same file system.
  const inTemporary = OWN_INODES + (directory && apart ? entries : 0)
  if (apart) return Math.max(0, inTemporary - temporary.inodes, entries - releases.inodes)
  return Math.max(0, inTemporary + entries - releases.inodes)
}

/** `elsewhere`: temporary files on another disk would help too. */
export const fullDiskCure = (elsewhere: boolean): string =>
  `remove old releases there${elsewhere ? ', or set murder.temporaryPath to a larger disk' : ''}`

/**
 * The servers without enough space for the package or delta, and for the release. `copies`: how many times the release must fit;
 * twice for a staged one, because the published one is made from it.
 */
export function checkSpace(
  servers: readonly Server[],
  facts: FleetFacts,
  gets: (server: Server) => Transfer | undefined,
  copies = 1,
): Failure[] {
  const failures: Failure[] = []
  const release = copies > 1 ? 'the staged release and the one that is made of it' : 'the release'
  for (const server of servers) {
    const found = facts.get(server)
    const transfer = gets(server)
    if (!found || !transfer) continue
    const { length, base, directory, extent } = transfer
    const [entries, size] = [extent.entries * copies, extent.bytes * copies]
    // Files that were fetched one by one get a second name in the release, and take space once.
    const once = directory && found.temporary.fileSystem === found.releases.fileSystem
    if (missingInodes(found, entries, directory) > 0) failures.push(noInodes(server, found, entries))
    if (missingSpace(found, once ? 0 : length, size) === 0) continue
    const free = Math.min(found.temporary.free, found.releases.free)
    failures.push({
      server: server.label,
      step: 'check',
      cause: `the disk is too full: the ${base ? 'delta' : 'package'} takes ${bytes(length)} and ${release} ${bytes(size)}, ${bytes(free)} are free`,
      cure: fullDiskCure(size <= found.releases.free),
    })
  }
  return failures
}

function noInodes({ label }: Server, { temporary, releases }: ServerFacts, entries: number): Failure {
  const free = Math.min(temporary.inodes, releases.inodes)
  return {
    server: label,
    step: 'check',
    cause: `the disk has too few inodes: the release has ${entries} files and directories, ${free} inodes are free`,
    cure: 'remove what has many small files there, for example old releases',
  }
}
