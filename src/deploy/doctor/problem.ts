import { bytes } from '../../text/format.ts'

/** A disk with less free space counts as full. */
const MIN_FREE_BYTES = 64 << 20
/** Inodes that a release of few files needs. */
const MIN_FREE_INODES = 1000

/** What a disk has too little of. */
export function lackOfRoom(freeBytes: number, inodes: number): string | undefined {
  if (freeBytes < MIN_FREE_BYTES) return `${bytes(freeBytes)} are free`
  return inodes < MIN_FREE_INODES ? `${inodes} inodes are free, one for each file,` : undefined
}

/** Something that would stop a deploy, or might. */
export interface Problem {
  server: string
  check: string
  cause: string
  cure: string
  /** The machine, and its port, that `server` does not reach, and how that shows. */
  to?: string
  port?: number
  how?: string
}

/** The same problem of several servers. */
export interface ProblemGroup extends Omit<Problem, 'server' | 'to' | 'port' | 'how'> {
  servers: string[]
}
