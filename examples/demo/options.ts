import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ExitCode, MurderError } from '../../src/errors.ts'

export interface Options {
  servers: number
  /** Small files in the repository. */
  files: number
  /** Megabytes of its one large file. */
  size: number
  /** The directory for everything, which is kept; undefined for a temporary one. */
  directory: string | undefined
}

const USAGE = 'npm run demo -- [--servers 5] [--files 3000] [--size 64] [--directory DIR, which is kept]'

/** Throws USAGE with exit code 2. */
export function readOptions(args: string[]): Options {
  const values = parse(args)
  return {
    servers: whole('--servers', values.servers, 100),
    files: whole('--files', values.files, 100_000),
    size: whole('--size', values.size, 2000),
    directory: values.directory,
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        servers: { type: 'string', default: '5' },
        files: { type: 'string', default: '3000' },
        size: { type: 'string', default: '64' },
        directory: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new MurderError('USAGE', (error as Error).message, { exitCode: ExitCode.usage, cure: USAGE })
  }
}

function whole(flag: string, text: string, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new MurderError('USAGE', `${flag} takes 1 to ${most}, not ${text}`, {
    exitCode: ExitCode.usage,
    cure: USAGE,
  })
}

/** The directory for everything, and the function that removes it at the end. */
export function workplace({ directory }: Options): { path: string; remove(): void } {
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true })
    return { path: realpathSync(resolve(directory)), remove: () => {} }
  }
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'murder-demo-')))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}
