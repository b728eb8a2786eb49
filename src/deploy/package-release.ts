import type { Server } from '../fleet/ssh/server.ts'
import { defined } from '../system/defined.ts'
import type { Context } from './context/context.ts'
import type { Deltas } from './deltas/deltas.ts'
import type { FleetFacts } from './preflight/preflight.ts'
import { hasZstd } from './preflight/verdict.ts'
import { compressionNote } from './transfer/compression-note.ts'
import { planTransfer } from './transfer/make-transfer.ts'
import type { Extent, Transfer } from './transfer/transfer.ts'
import { WholePackage } from './transfer/whole-package.ts'
import { assertSameContent } from './transfer/workspace/same-workspace.ts'

/** The content that travels: the package, or a delta for some servers. */
export interface Packaged {
  extent: Extent
  deltas: ReadonlyMap<Server, Transfer>
  /** The package, where it is there. */
  made: () => Transfer | undefined
  /** The transfer for a server: its delta, or the package. */
  gets: (server: Server) => Transfer | undefined
  /** Returns the package. Makes it now if it does not exist yet. */
  whole: () => Promise<Transfer>
}

/** Makes the deltas, and the package if a server needs it. `directory`: where, on the deploy host. */
export async function packageRelease(
  context: Context,
  { tag, directory, facts, making }: { tag: string; directory: string; facts: FleetFacts; making: Deltas },
): Promise<Packaged> {
  let comparing: Promise<void> | undefined
  const plan = planTransfer(context, {
    tag,
    directory,
    zstdEverywhere: [...facts.values()].every(hasZstd),
    peers: context.fleet.servers.length,
    onScanned: (root, entries) => {
      making.begin(root, entries)
      comparing = assertSameContent(context, root, entries)
      comparing.catch(() => {}) // Thrown below.
    },
  })
  const note = compressionNote(context.settings, plan)
  if (note !== undefined) context.display.board().log(note)
  await comparing
  const whole = new WholePackage(plan)
  const { deltas, becomes } = await making.choose(whole)
  noteSize(context, whole)
  return {
    extent: plan.extent,
    deltas,
    made: () => whole.made,
    gets: (server) => deltas.get(server) ?? whole.made,
    async whole() {
      const made = await whole.make(defined({ id: becomes }))
      noteSize(context, whole)
      return made
    },
  }
}

/** Without a package, the size of a release is that of its files. */
function noteSize({ record }: Pick<Context, 'record'>, { made, plan }: WholePackage): void {
  record.size = made?.length ?? plan.contentBytes
  record.packaged = made !== undefined
}
