import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { ExitCode, MurderError } from '../../errors.ts'
import { defined } from '../../system/defined.ts'
import { plainError } from '../cli/system-error.ts'
import { decodeTorrent, type Torrent } from '../runs/job.ts'

/** More than three million pieces. */
const LIMIT_BYTES = 64 * 1024 * 1024

/** Reads a torrent from a file, or from standard input when it is called `-`. */
export async function readTorrent(name: string): Promise<Torrent> {
  const bytes = name === '-' ? await readStdin(LIMIT_BYTES, 'the torrent') : readFile(name)
  try {
    return decodeTorrent(bytes)
  } catch (error) {
    if (!(error instanceof MurderError) || name === '-') throw error
    const { code, exitCode, cure } = error
    throw new MurderError(code, `${name}: ${error.message}`, { exitCode, ...defined({ cure }) })
  }
}

function readFile(path: string): Buffer {
  const fd = open(path)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile())
      throw bad(`${path} is not a file`, 'name the .torrent file that murder make-torrent made')
    if (stat.size > LIMIT_BYTES)
      throw bad(`${path} is too large for a torrent`, 'name the .torrent file, not the content')
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

function open(path: string): number {
  try {
    // Else opening a fifo waits until somebody writes into it.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    const { code, message, cure } = plainError(cause)
    throw new MurderError(code, message, { exitCode: ExitCode.usage, cause, ...defined({ cure }) })
  }
}

/** All of standard input, at most `limit` bytes. */
export async function readStdin(limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit)
      throw bad(`${what} on standard input is longer than ${limit} bytes`, 'check what is sent there')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const bad = (message: string, cure: string) =>
  new MurderError('BAD_TORRENT', message, { exitCode: ExitCode.usage, cure })
