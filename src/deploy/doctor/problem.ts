import { oneLine } from '../../text/format.ts'
import { table, wrap } from '../../text/table.ts'
/** Something that would stop a deploy, or might. */
export interface Problem {
  server: string
  check: string
  cause: string
  cure: string
}

export const problemTable = (problems: readonly Problem[]) =>
  table([
    ['server', 'check', 'cause', 'cure'],
    ...problems.map(({ server, check, cause, cure }) => [
      ...[server, check].map(oneLine),
      ...[cause, cure].map((text) => wrap(oneLine(text), 50).join('\n')),
    ]),
  ])
