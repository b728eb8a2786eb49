import { statSync } from 'node:fs'
import { MurderError } from '../../../errors.ts'
import type { ExtractOptions } from '../../../package/unpack/extract.ts'
import type { Filled } from '../../../package/unpack/unpack.ts'
import type { AgentEvent } from '../../../protocol/events.ts'
import { defined } from '../../../system/defined.ts'
import { roomFor } from '../../../torrent/storage/disk-space.ts'
import { plainError } from '../../cli/system-error.ts'
import type { Delivery } from '../delivery.ts'
import type { Making } from './install-release.ts'
import { writeReceipt } from './receipt.ts'

/** Whether the package can be unpacked while it still grows: until it is whole only a hidden directory is touched. */
export const unpacksEarly = ({ unpack, place }: Delivery): boolean =>
  !place && unpack !== undefined && !unpack.directory && unpack.existing === undefined

/**
 * Puts what was fetched where it belongs. Returns the event for that, or undefined when the package was only to be fetched. With
 * `beyond` the package is still arriving; without it, it is complete. Failures have the step `unpack`.
 */
export async function install(
  delivery: Delivery,
  signal: AbortSignal,
  beyond?: ExtractOptions['beyond'],
): Promise<AgentEvent | undefined> {
  const started = performance.now()
  try {
    const eventOf = (made: Filled): AgentEvent => {
      const seconds = Math.round(performance.now() - started) / 1000
      return { event: 'unpacked', ...made, seconds }
    }
    let noted: AgentEvent | undefined
    const onWhole = (made: Filled) => {
      noted = eventOf(made)
      writeReceipt(delivery, noted)
    }
    const made = await make(delivery, signal, { beyond, onWhole })
    return noted ?? (made && eventOf(made))
  } catch (error) {
    const { code, message, exitCode, cure } = plainError(error)
    const room = code === 'DISK_FULL' ? await roomNeeded(delivery) : ''
    const details = { exitCode, step: 'unpack', cause: error, ...defined({ cure }) }
    throw new MurderError(code, `${message}${room}`, details)
  }
}

async function make(delivery: Delivery, signal: AbortSignal, making: Making): Promise<Filled | undefined> {
  const { unpack, place } = delivery
  if (place) return (await import('./install-file.ts')).installFile(delivery, place, signal)
  if (!unpack) return undefined
  return (await import('./install-release.ts')).installRelease(delivery, unpack, signal, making)
}

async function roomNeeded({ job, directory, unpack, place }: Delivery): Promise<string> {
  const needed = unpack?.bytes ?? statSync(job.path, { throwIfNoEntry: false })?.size
  if (needed === undefined) return ''
  return `: it takes ${await roomFor(needed, unpack?.into ?? place?.path ?? directory)}`
}
