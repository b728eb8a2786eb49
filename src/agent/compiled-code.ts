import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A directory of this name beside the agent, where there is one, keeps what was compiled. */
const DIRECTORY = 'compiled'
const SHA256_BYTES = 32

/**
 * What V8 made of the program when a command ran, for the next process of that command: compiling takes a fifth of the CPU time of
 * a short-lived peer. It is as trusted as the program beside which it lies, and there is a file for each program, command, version
 * of Node and kind of processor.
 */
export class CompiledCode {
  private readonly directory: string
  private readonly file: string

  /** `file` is the agent's, `id` tells apart what may be in it; `command` is its first argument. */
  constructor(file: string, id: string, command: string) {
    this.directory = join(dirname(file), DIRECTORY)
    const parts = [basename(file), id, command, process.version, process.arch]
    this.file = join(this.directory, parts.join('-'))
  }

  /** undefined when there is none, or when it is not what was written. */
  read(): Buffer | undefined {
    let stored: Buffer
    try {
      stored = readFileSync(this.file)
    } catch {
      return undefined // none yet, no directory, or somebody else's: it is not needed
    }
    const code = stored.subarray(SHA256_BYTES)
    return sha256(code).equals(stored.subarray(0, SHA256_BYTES)) ? code : undefined
  }

  /** Whether there is a place for it. */
  get isWanted(): boolean {
    return existsSync(this.directory)
  }

  /** In one step, so that a process that starts meanwhile never sees half of it. */
  keep(code: Buffer): void {
    const part = `${this.file}.${process.pid}.part`
    try {
      writeFileSync(part, Buffer.concat([sha256(code), code]))
      renameSync(part, this.file)
    } catch {
      rmSync(part, { force: true }) // a full disk, or not ours to write: the next start compiles again
    }
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
