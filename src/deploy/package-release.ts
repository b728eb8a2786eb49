import type { Server } from '../fleet/ssh/server.ts'
import type { Context } from './context/context.ts'
import type { Deltas } from './deltas/deltas.ts'
import type { FleetFacts } from './preflight/preflight.ts'
import { hasZstd } from './preflight/verdict.ts'
import { compressionNote } from './transfer/compression-note.ts'
import { makeTransfer } from './transfer/make-transfer.ts'
import type { Transfer } from './transfer/transfer.ts'

/** What travels: the package, and for some servers a delta in its place. */
export interface Packaged {
  transfer: Transfer
  deltas: ReadonlyMap<Server, Transfer>
}

/** Makes the package and, at the same time, the deltas. `directory`: where, on the deploy host. */
export async function packageRelease(
  context: Context,
  { tag, directory, facts, making }: { tag: string; directory: string; facts: FleetFacts; making: Deltas },
): Promise<Packaged> {
  const transfer = await makeTransfer(context, {
    tag,
    directory,
    zstdEverywhere: [...facts.values()].every(hasZstd),
    peers: context.fleet.servers.length,
    onScanned: (root, entries) => making.begin(root, entries),
  })
  const note = compressionNote(context.settings, transfer)
  if (note !== undefined) context.display.board().log(note)
  return { transfer, deltas: await making.choose(transfer) }
}
