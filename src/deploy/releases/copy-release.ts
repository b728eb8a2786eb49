import { PassThrough } from 'node:stream'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { oneLine } from '../../text/format.ts'
import { author } from '../context/author.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { deployToOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'
import { readReleaseLine, readReleaseScript, writeReleaseScript } from '../scripts/releases/copy-script.ts'

/** How many bytes the reading server may be ahead of the writing one. */
const BUFFER_BYTES = 16 << 20

/**
 * Copies a release from one server to others, through the deploy host, one after the other. A rollback with a new server needs it:
 * nothing has to be installed, and speed does not matter. Returns the failures.
 */
export async function copyRelease(
  context: TaskContext,
  release: string,
  source: Server,
  targets: readonly Server[],
): Promise<Failure[]> {
  const failures: Failure[] = []
  for (const target of targets) {
    context.shipit.log(`Copying ${release} from ${source.label} to ${target.label}, which lacks it`)
    failures.push(...(await copyTo(context, release, source, target)))
  }
  return failures
}

async function copyTo(
  { fleet, settings, shipit, signal }: TaskContext,
  release: string,
  source: Server,
  target: Server,
): Promise<Failure[]> {
  const bytes = new PassThrough({ highWaterMark: BUFFER_BYTES })
  bytes.on('error', () => {}) // The outcomes say what went wrong.
  const both = new AbortController()
  const options = { signal: AbortSignal.any([signal, both.signal]), stallTimeoutS: settings.timeouts.stall }
  const read = {
    script: readReleaseScript(releasesPath(deployToOf(shipit, source)), release),
    onLine: (line: string) => {
      const read = readReleaseLine(line)
      if ('bytes' in read) bytes.write(read.bytes)
      else
        shipit.log(
          `${target.label}: ${oneLine(read.left)} of ${release} comes empty: on ${source.label} something is mounted there`,
        )
    },
  }
  const write = {
    script: writeReleaseScript(deployToOf(shipit, target), release, author()),
    stdin: () => bytes,
  }
  const reading = fleet.runOn(source, 'copy', read, options).then((outcome) => {
    // A half archive must not look like a whole one.
    if (outcome.ok) bytes.end()
    else both.abort()
    return outcome
  })
  const outcomes = await Promise.all([reading, fleet.runOn(target, 'copy', write, options)])
  const sourceFailed = failuresOf(outcomes.slice(0, 1), 'copy').map(({ cause, ...failure }) => ({
    ...failure,
    server: target.label,
    cause: `${source.label}, which it would come from: ${cause}`,
  }))
  return sourceFailed.length > 0 ? sourceFailed : failuresOf(outcomes.slice(1), 'copy')
}
