import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { receiptFile } from './transfer-directory.ts'

interface Receipt {
  into: string
  sha256: string
  event: AgentEvent
}

/** If the connection drops just before `unpacked` arrives, the next attempt must not find a release in its way. */
export function writeReceipt(order: ReceiveOrder, event: AgentEvent): void {
  const receipt: Receipt = { into: order.unpack?.into ?? '', sha256: order.sha256, event }
  try {
    writeFileSync(receiptFile(order.directory), JSON.stringify(receipt), { mode: 0o600 })
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error // it is only a convenience
  }
}

export function readReceipt(order: ReceiveOrder): AgentEvent | undefined {
  try {
    const { into, sha256, event } = JSON.parse(readFileSync(receiptFile(order.directory), 'utf8')) as Receipt
    return into === order.unpack?.into && sha256 === order.sha256 && statSync(into).isDirectory()
      ? event
      : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
