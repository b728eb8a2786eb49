import { bytes } from '../../text/format.ts'

/** A disk with less free space counts as full. */
const MIN_FREE_BYTES = 64 << 20
/** Inodes that a release of few files needs. */
const MIN_FREE_INODES = 1000

/** Which resource of a disk runs short. */
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
  /** The machine and port that `server` cannot reach, and how the attempt failed. */
  to?: string
  port?: number
  how?: string
  /** A deploy gets around it. */
  bypassed?: boolean
}

/** The same problem on several servers. */
export interface ProblemGroup extends Omit<Problem, 'server' | 'to' | 'port' | 'how' | 'bypassed'> {
  servers: string[]
}
