import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ExitCode, MurderError } from '../../errors.ts'
import { defined } from '../../system/defined.ts'

export interface Flag {
  type: 'string' | 'boolean'
  /** May be given several times. */
  multiple?: true
}

export interface Command {
  /** Printed by `--help`, an example first. */
  help: string
  /** The positional arguments as the help writes them; those in brackets may be left out. */
  positionals: string[]
  flags: Record<string, Flag>
  /** Gives the exit code. */
  run(args: Arguments): Promise<number>
}

export interface Arguments {
  positionals: string[]
  has(flag: string): boolean
  text(flag: string): string | undefined
  list(flag: string): string[]
  /** The flag's value through `parse`; the fallback when the flag isn't there. */
  value<T, F>(flag: string, parse: (flag: string, text: string) => T, fallback: F): T | F
}

/** Flags of every command. */
const COMMON: Record<string, Flag> = { help: { type: 'boolean' }, debug: { type: 'boolean' } }

export const usageError = (message: string, cure?: string) =>
  new MurderError('USAGE', message, { exitCode: ExitCode.usage, ...defined({ cure }) })

/** Throws a usage error for anything that the command doesn't know. */
export async function parseArguments(name: string, command: Command, argv: string[]): Promise<Arguments> {
  const flags = { ...COMMON, ...command.flags }
  const options = Object.fromEntries(
    Object.entries(flags).map(([flag, { type, multiple }]) => [flag, { type, multiple: multiple ?? false }]),
  ) satisfies ParseArgsConfig['options']
  const parsed = parseArgs({
    args: argv,
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue
    const flag = flags[token.name]
    if (!flag)
      throw await unknown(`${name} has no flag ${token.rawName}`, token.name, Object.keys(flags), '--')
    if (flag.type === 'string' && !token.value) throw usageError(`${token.rawName} needs a value`, help(name))
    if (flag.type === 'boolean' && token.value !== undefined)
      throw usageError(`${token.rawName} takes no value`, help(name))
  }
  const values = parsed.values as Record<string, string | boolean | (string | boolean)[] | undefined>
  if (!values.help) checkPositionals(name, command.positionals, parsed.positionals)
  const text = (flag: string) => values[flag] as string | undefined
  return {
    positionals: parsed.positionals,
    has: (flag) => values[flag] === true,
    text,
    list: (flag) => (values[flag] ?? []) as string[],
    value: (flag, parse, fallback) => {
      const given = text(flag)
      return given === undefined ? fallback : parse(`--${flag}`, given)
    },
  }
}

function checkPositionals(name: string, wanted: string[], given: string[]): void {
  const missing = wanted[given.length]
  if (missing && !missing.startsWith('[')) throw usageError(`${name} needs ${missing}`, help(name))
  const extra = given[wanted.length]
  if (extra !== undefined) throw usageError(`${name} does not know what to do with '${extra}'`, help(name))
}

const help = (name: string) => `see murder ${name} --help`

/** A usage error for a word that isn't known, with the nearest one that is. */
export async function unknown(
  message: string,
  word: string,
  known: string[],
  prefix = '',
): Promise<MurderError> {
  const { closest, distance } = await import('fastest-levenshtein')
  const nearest = closest(word, known)
  const near = nearest && distance(word, nearest) <= Math.max(2, Math.floor(word.length / 3))
  return usageError(message, near ? `did you mean ${prefix}${nearest}?` : 'see murder --help')
}
