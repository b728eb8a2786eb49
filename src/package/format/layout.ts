import { gunzipSync, gzipSync } from 'node:zlib'
import { isSystemError, MurderError } from '../../errors.ts'
import { type Entry, MAX_PATH_BYTES, pathFault, shown } from '../../files/entry.ts'
import { NS_PER_S, splitTime } from '../../files/times.ts'

/**
 * The layout of a package as text: gzip in base64, about 15 bytes for each entry. Inside is JSON in columns, which compress
 * better than rows: paths (without the beginning they share with the path before), types, modes, whole seconds,
 * nanoseconds, sizes and link targets.
 */
interface Columns {
  version: 1
  paths: string[]
  /** How many UTF-16 units each path shares with the one before it. */
  shared: number[]
  /** One letter an entry: f, d or s. */
  types: string
  modes: number[]
  seconds: number[]
  nanoseconds: number[]
  sizes: number[]
  linknames: string[]
}

const letterOf = { file: 'f', directory: 'd', symlink: 's' } as const
const types = { f: 'file', d: 'directory', s: 'symlink' } as const

/** More than any release needs: a broken or hostile layout cannot make this process use more memory. */
const limits = { text: 64 << 20, json: 256 << 20, entries: 2_000_000, pathLetters: 256 << 20 }

export function encodeLayout(entries: Entry[]): string {
  const columns: Columns = {
    version: 1,
    paths: [],
    shared: [],
    types: '',
    modes: [],
    seconds: [],
    nanoseconds: [],
    sizes: [],
    linknames: [],
  }
  let before = ''
  for (const entry of entries) {
    const shared = sharedLength(before, entry.path)
    const { seconds, nanoseconds } = splitTime(entry.mtime)
    columns.shared.push(shared)
    columns.paths.push(entry.path.slice(shared))
    columns.types += letterOf[entry.type]
    columns.modes.push(entry.mode)
    columns.seconds.push(Number(seconds))
    columns.nanoseconds.push(Number(nanoseconds))
    columns.sizes.push(entry.size)
    if (entry.type === 'symlink') columns.linknames.push(entry.linkname ?? '')
    before = entry.path
  }
  return gzipSync(JSON.stringify(columns)).toString('base64')
}

/** The entries that `encodeLayout` got. Throws BAD_LAYOUT for any text that it cannot have made. */
export function decodeLayout(text: string): Entry[] {
  const columns = parse(text)
  const count = columns.paths.length
  if (count > limits.entries) throw badLayout(`more than ${limits.entries} entries`)
  const numbers = [columns.shared, columns.modes, columns.seconds, columns.nanoseconds, columns.sizes]
  if (columns.types.length !== count || numbers.some((column) => column.length !== count))
    throw badLayout('columns of different lengths')
  const entries: Entry[] = []
  let before = ''
  let links = 0
  let letters = 0
  for (let i = 0; i < count; i++) {
    const path = before.slice(0, columns.shared[i]) + columns.paths[i]
    letters += path.length
    if (letters > limits.pathLetters) throw badLayout('its paths are too long')
    const type = types[columns.types[i] as keyof typeof types]
    const entry: Entry = {
      path: checkedPath(path),
      type,
      mode: whole(columns.modes[i], 0, 0o7777),
      mtime:
        BigInt(whole(columns.seconds[i], Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)) * NS_PER_S +
        BigInt(whole(columns.nanoseconds[i], 0, 999_999_999)),
      size: whole(columns.sizes[i], 0, type === 'file' ? Number.MAX_SAFE_INTEGER : 0),
    }
    if (type === undefined) throw badLayout('an unknown type')
    if (type === 'symlink') entry.linkname = checkedLink(columns.linknames[links++])
    entries.push(entry)
    before = path
  }
  return entries
}

function sharedLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function parse(text: string): Columns {
  if (text.length > limits.text) throw badLayout('it is too long')
  let value: unknown
  try {
    value = JSON.parse(gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: limits.json }).toString())
  } catch (cause) {
    throw badLayout(
      isSystemError(cause, 'ERR_BUFFER_TOO_LARGE') ? 'it is too long' : 'it is not readable',
      cause,
    )
  }
  const columns = value as Columns | null
  if (columns?.version !== 1 || typeof columns.types !== 'string') throw badLayout('its version is unknown')
  const { paths, shared, modes, seconds, nanoseconds, sizes, linknames } = columns
  if (![paths, shared, modes, seconds, nanoseconds, sizes, linknames].every(Array.isArray))
    throw badLayout('a column is missing')
  if (![paths, linknames].every(isTexts)) throw badLayout('a path is no text')
  return columns
}

const isTexts = (column: unknown[]) => column.every((item) => typeof item === 'string')

function checkedPath(path: string): string {
  const fault = path === '.' ? undefined : pathFault(path)
  if (fault) throw badLayout(`the path ${shown(path)} ${fault}`)
  return path
}

function checkedLink(linkname: string | undefined): string {
  if (linkname && Buffer.byteLength(linkname) <= MAX_PATH_BYTES && !linkname.includes('\0')) return linkname
  throw badLayout('an impossible link target')
}

function whole(value: number | undefined, least: number, greatest: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= greatest)
    return value as number
  throw badLayout(`${String(value).slice(0, 40)} where a whole number of ${least} to ${greatest} belongs`)
}

function badLayout(why: string, cause?: unknown): MurderError {
  return new MurderError('BAD_LAYOUT', `the layout of the package is unusable: ${why}`, {
    cure: 'deploy again; both ends must run the same version',
    cause,
  })
}
