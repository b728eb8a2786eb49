import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A directory of this name beside the agent, where there is one, keeps what was compiled. */
const DIRECTORY = 'compiled'
const SHA256_BYTES = 32
const EXTENT_BYTES = 4
/** How much more a process must have compiled than the one before it, for its code to take the place of that. */
const MUCH_MORE = 1.1

/**
 * What V8 made of the program when a command ran, for the next process of that command: compiling takes a fifth of the CPU time of
 * a short-lived peer. It is as trusted as the program beside which it lies, and there is a file for each program, command, version
 * of Node and kind of processor: SHA-256 of the rest, extent, code.
 */
export class CompiledCode {
  /** V8's, to be used; undefined when there is none, or when it is not what was written. */
  readonly code: Buffer | undefined
  /** Bytes of bytecode that the process had whose code this is: one that did little has compiled little. */
  private readonly extent: number
  private readonly directory: string
  private readonly file: string

  /** `file` is the agent's, `id` tells apart what may be in it; `command` is its first argument. */
  constructor(file: string, id: string, command: string) {
    this.directory = join(dirname(file), DIRECTORY)
    const parts = [basename(file), id, command, process.version, process.arch]
    this.file = join(this.directory, parts.join('-'))
    const content = this.read()
    this.code = content?.subarray(EXTENT_BYTES)
    this.extent = content?.readUInt32LE(0) ?? 0
  }

  /** Whether there is a place for code of that extent, and it is worth to be made. */
  wants(extent: number): boolean {
    return extent > this.extent * MUCH_MORE && existsSync(this.directory)
  }

  /** In one step, so that a process that starts meanwhile never sees half of it. */
  keep(code: Buffer, extent: number): void {
    const part = `${this.file}.${process.pid}.part`
    const content = Buffer.concat([Buffer.alloc(EXTENT_BYTES), code])
    content.writeUInt32LE(extent)
    try {
      writeFileSync(part, Buffer.concat([sha256(content), content]))
      renameSync(part, this.file)
    } catch {
      rmSync(part, { force: true }) // a full disk, or not ours to write: the next start compiles again
    }
  }

  private read(): Buffer | undefined {
    let stored: Buffer
    try {
      stored = readFileSync(this.file)
    } catch {
      return undefined // none yet, no directory, or somebody else's: it is not needed
    }
    const content = stored.subarray(SHA256_BYTES)
    return sha256(content).equals(stored.subarray(0, SHA256_BYTES)) ? content : undefined
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
