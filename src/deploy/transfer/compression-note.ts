import type { Settings } from '../../config/schema.ts'
import type { Transfer } from './transfer.ts'

/** A line about a requested compression that this transfer does not use; undefined where there is nothing to say. */
export function compressionNote(
  { compression: wanted, package: form, pathIsFile }: Settings,
  { compression }: Pick<Transfer, 'compression'>,
): string | undefined {
  if (wanted === 'auto' || wanted === compression) return undefined
  const asked = `murder.compression is ${wanted}, but`
  if (pathIsFile && compression === 'none') return `${asked} a single file travels as it is`
  if (form === 'directory') return `${asked} murder.package is directory: files travel as they are`
  return `${asked} this machine or a server has none (Node.js 22.15 has it): the package is compressed with ${compression}`
}
