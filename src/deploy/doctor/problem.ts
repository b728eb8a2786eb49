import { bytes, oneLine } from '../../text/format.ts'
import { table, wrap } from '../../text/table.ts'

/** A disk with less free space counts as full. */
const MIN_FREE_BYTES = 64 << 20
/** Inodes that a release of few files needs. */
const MIN_FREE_INODES = 1000

/** What a disk has too little of. */
export function lackOfRoom(freeBytes: number, inodes: number): string | undefined {
  if (freeBytes < MIN_FREE_BYTES) return `${bytes(freeBytes)} are free`
  return inodes < MIN_FREE_INODES ? `${inodes} inodes are free, one for each file,` : undefined
}

/** Width of the two columns of the table that hold sentences. */
const SENTENCE_COLUMNS = 50

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
      oneLine(server),
      oneLine(check),
      sentence(cause),
      sentence(cure),
    ]),
  ])

const sentence = (text: string) => wrap(oneLine(text), SENTENCE_COLUMNS).join('\n')
