import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { ExitCode, MurderError } from '../../errors.ts'
import { readStdin } from './torrent-input.ts'

const MIN_CHARACTERS = 16
const MAX_CHARACTERS = 1024

/** The secret in a file that only its owner can read, or on standard input. White space around it does not count. */
export async function readSecret(flag: string, name: string): Promise<string> {
  const text = name === '-' ? await readStdin(MAX_CHARACTERS, 'the secret') : readPrivate(flag, name)
  const secret = text.toString().trim()
  if (secret.length >= MIN_CHARACTERS && secret.length <= MAX_CHARACTERS) return secret
  throw bad(`the secret of ${flag} has ${secret.length} characters`, 'use at least 16: openssl rand -hex 32')
}

function readPrivate(flag: string, name: string): Buffer {
  let fd: number | undefined
  try {
    fd = openSync(name, 'r')
    const stat = fstatSync(fd)
    if (stat.isFile() && (stat.mode & 0o077) !== 0)
      throw bad(`${name} holds a secret, and others may read it`, `run chmod 600 ${name}`)
    return readFileSync(fd)
  } catch (error) {
    if (error instanceof MurderError) throw error
    throw bad(`the file of ${flag} cannot be read: ${(error as Error).message}`, 'name a readable file')
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const bad = (message: string, cure: string) =>
  new MurderError('USAGE', message, { exitCode: ExitCode.usage, cure })
