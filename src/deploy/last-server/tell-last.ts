import type { Context } from '../context/context.ts'
import type { ServerTransfer } from './server-transfer.ts'
import { lastServer, lateServers } from './why-late.ts'

/** Notes for the report and the page which servers were late, and why. */
export function tellLast(
  { record, picture }: Pick<Context, 'picture' | 'record'>,
  facts: readonly ServerTransfer[],
): void {
  record.last = lastServer(facts)
  for (const { server, text } of lateServers(facts)) picture.why(server, text)
}
