import { readFileSync, statSync } from 'node:fs'
import { isSystemError } from '../../../errors.ts'
import { writeWhole } from '../../../files/write-whole.ts'
import type { AgentEvent } from '../../../protocol/events.ts'
import type { Delivery } from '../delivery.ts'
import { receiptFile } from '../transfer-directory.ts'

interface Receipt {
  into: string
  sha256: string
  event: AgentEvent
}

/**
 * Notes that a release is unpacked. If the connection drops just before `unpacked` arrives, the next attempt must not find
 * the release in its way.
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
    const isOurs = receipt.into === unpack?.into && receipt.sha256 === sha256
    return isOurs && statSync(receipt.into).isDirectory() ? receipt.event : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
