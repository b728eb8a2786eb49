import { existsSync, readFileSync, statSync } from 'node:fs'
import { isSystemError } from '../../../errors.ts'
import { writeWhole } from '../../../files/write-whole.ts'
import { partialOf } from '../../../package/unpack/unpack.ts'
import type { AgentEvent } from '../../../protocol/events.ts'
import type { Delivery } from '../delivery.ts'
import { receiptFile } from '../transfer-directory.ts'

interface Receipt {
  into: string
  sha256: string
  event: AgentEvent
}

/**
 * Notes, just before the release gets its name, that it is whole. If the connection or this process ends before `unpacked` arrives,
 * the next attempt must not find the release in its way.
 */
export function writeReceipt({ directory, sha256, unpack }: Delivery, event: AgentEvent): void {
  const receipt: Receipt = { into: unpack?.into ?? '', sha256, event }
  try {
    writeWhole(receiptFile(directory), JSON.stringify(receipt), { mode: 0o600, fsync: true })
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error // it is only a convenience
  }
}

export function readReceipt({ directory, sha256, unpack }: Delivery): AgentEvent | undefined {
  try {
    const receipt = JSON.parse(readFileSync(receiptFile(directory), 'utf8')) as Receipt
    const { into, event } = receipt
    const isOurs = into === unpack?.into && receipt.sha256 === sha256
    // A process that was killed before it gave the release its name has left the hidden directory.
    return isOurs && statSync(into).isDirectory() && !existsSync(partialOf(into)) ? event : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
