import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MurderError } from '../../errors.ts'
import { intoFile } from '../../files/bounded-file.ts'
import type { Outcome } from '../../fleet/command.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { readRecord } from '../../package/delta/base/record.ts'
import type { Manifest } from '../../package/delta/format/manifest.ts'
import { makeTemporaryDirectory } from '../../system/temporary-directory.ts'
import { bytes } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { deployToOf } from '../paths/places.ts'
import { deliveredScript } from '../scripts/releases/delivered-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'

/** One server may have lost its note. */
const MAX_ASKED = 3
/** Some 50 bytes for each file: more than a release of a million files needs. */
const MAX_NOTE_BYTES = 64 << 20

/**
 * What was delivered as this release, by the note of the first of `servers` that has one; undefined where none has. Throws the
 * failure of a server where the note may be.
 */
export async function deliveredAs(
  context: Pick<TaskContext, 'fleet' | 'shipit' | 'signal'>,
  release: string,
  servers: readonly Server[],
): Promise<Manifest | undefined> {
  const directory = makeTemporaryDirectory('shipit-murder-')
  try {
    const file = join(directory, 'note')
    let failure: MurderError | undefined
    for (const server of servers.slice(0, MAX_ASKED)) {
      const outcome = await fetchNote(context, server, release, file)
      context.signal.throwIfAborted()
      if (!outcome.ok) failure ??= outcome.error
      const delivered = outcome.ok ? await readRecord(file).catch(() => undefined) : undefined
      if (delivered) return delivered
    }
    if (failure) throw failure
    return undefined
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function fetchNote(
  { fleet, shipit, signal }: Pick<TaskContext, 'fleet' | 'shipit' | 'signal'>,
  server: Server,
  release: string,
  file: string,
): Promise<Outcome> {
  const script = deliveredScript(deployToOf(shipit, server), release)
  const tooLong = () =>
    new MurderError('BAD_NOTE', `${server.label} sends a note of more than ${bytes(MAX_NOTE_BYTES)}`)
  return intoFile(file, { limit: MAX_NOTE_BYTES, tooLong }, (onBytes) =>
    fleet.runOn(server, 'check', { script, onBytes }, { signal, totalTimeoutS: SCRIPT_TIMEOUT_S }),
  )
}
