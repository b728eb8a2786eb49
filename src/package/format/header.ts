import { type Entry, isAscii } from '../../files/entry.ts'
import { NS_PER_S } from '../../files/times.ts'

export const BLOCK_BYTES = 512
const typeflags = { file: '0', symlink: '2', directory: '5' } as const
/** The largest size (8 GiB - 1) and time of eleven octal digits. */
const MAX_OCTAL = 0o77777777777

/** How many zero bytes follow `size` bytes of content, since tar consists of whole blocks. */
export const paddingOf = (size: number): number => -size & (BLOCK_BYTES - 1)

/** Two empty blocks end every archive. */
export const END_BYTES = 2 * BLOCK_BYTES

/** Length in bytes of the uncompressed package that `entries` make. */
export function packedLength(entries: Entry[]): number {
  let length = END_BYTES
  for (const entry of entries) length += headerLength(entry) + entry.size + paddingOf(entry.size)
  return length
}

/** Length in bytes of `headerOf(entry)`. */
export const headerLength = (entry: Entry): number => BLOCK_BYTES + paxLength(paxRecords(entry))

function paxLength(records: string): number {
  if (records === '') return 0
  const length = Buffer.byteLength(records)
  return BLOCK_BYTES + length + paddingOf(length)
}

/**
 * The bytes before an entry's content: a ustar header (POSIX.1-2017, pax), with a pax extended header before it only when
 * the path, the link target, the size or the time do not fit. The owner is 0 and has no name: the package says nothing
 * about the machine that made it.
 */
export function headerOf(entry: Entry): Buffer {
  const records = paxRecords(entry)
  const before = paxLength(records)
  const header = Buffer.allocUnsafe(before + BLOCK_BYTES)
  if (before > 0) {
    const size = header.fill(0, BLOCK_BYTES, before).write(records, BLOCK_BYTES)
    ustar(header, 0, {
      name: 'PaxHeader',
      prefix: '',
      mode: 0o644,
      size,
      seconds: 0,
      typeflag: 'x',
    })
  }
  ustar(header, before, {
    ...(split(entry.path) ?? { prefix: '', name: entry.path }),
    mode: entry.mode,
    size: entry.size > MAX_OCTAL ? 0 : entry.size,
    seconds: headerSeconds(entry.mtime),
    typeflag: typeflags[entry.type],
    linkname: entry.linkname,
  })
  return header
}

function paxRecords(entry: Entry): string {
  let records = ''
  if (!split(entry.path)) records += record('path', entry.path)
  if (entry.linkname !== undefined && !fits(entry.linkname, 100))
    records += record('linkpath', entry.linkname)
  if (entry.size > MAX_OCTAL) records += record('size', String(entry.size))
  if (BigInt(headerSeconds(entry.mtime)) * NS_PER_S !== entry.mtime)
    records += record('mtime', decimalSeconds(entry.mtime))
  return records
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const size = Buffer.byteLength(rest)
  let length = size + String(size).length
  if (String(length).length + size !== length) length = size + String(length).length
  return length + rest
}

const fits = (text: string, most: number) => text.length <= most && isAscii(text)

/** ustar's two fields for a path, or undefined when it needs a pax record. */
function split(path: string): { prefix: string; name: string } | undefined {
  if (fits(path, 100)) return { prefix: '', name: path }
  if (!fits(path, 256)) return undefined
  const slash = path.indexOf('/', path.length - 101)
  if (slash < 1 || slash > 155 || slash === path.length - 1) return undefined
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) }
}

/** Whole seconds for the header's own field. Where they are not exact there is a pax record, which readers prefer. */
function headerSeconds(mtime: bigint): number {
  if (mtime < 0n) return 0
  return Math.min(Number(mtime / NS_PER_S), MAX_OCTAL)
}

/** `-1.5` is one and a half seconds before 1970. */
function decimalSeconds(mtime: bigint): string {
  const size = mtime < 0n ? -mtime : mtime
  const fraction = String(size % NS_PER_S)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${mtime < 0n ? '-' : ''}${size / NS_PER_S}${fraction && `.${fraction}`}`
}

interface Fields {
  prefix: string
  name: string
  mode: number
  size: number
  seconds: number
  typeflag: string
  linkname?: string | undefined
}

/** The part that is the same in every header: owner, device numbers and magic, and a checksum field of spaces. */
const template = Buffer.alloc(BLOCK_BYTES)
for (const at of [108, 116, 329, 337]) template.write('0000000', at)
template.write('        ', 148)
template.write('ustar\x0000', 257)
const TEMPLATE_SUM = template.reduce((sum, byte) => sum + byte)

function ustar(
  header: Buffer,
  start: number,
  { prefix, name, mode, size, seconds, typeflag, linkname }: Fields,
): void {
  template.copy(header, start)
  const sum =
    TEMPLATE_SUM +
    text(header, name, start, 100) +
    octal(header, mode, start + 100, 7) +
    octal(header, size, start + 124, 11) +
    octal(header, seconds, start + 136, 11) +
    text(header, typeflag, start + 156, 1) +
    (linkname ? text(header, linkname, start + 157, 100) : 0) +
    (prefix ? text(header, prefix, start + 345, 155) : 0)
  octal(header, sum, start + 148, 6)
  header[start + 154] = 0
}

// Both return the sum of the bytes that they wrote, because adding up all 512 took most of the time of making a header.

function text(header: Buffer, value: string, at: number, most: number): number {
  const end = at + header.write(value, at, most)
  let sum = 0
  for (let i = at; i < end; i++) sum += header[i] as number
  return sum
}

function octal(header: Buffer, value: number, at: number, digits: number): number {
  let rest = value
  let sum = 0
  for (let i = at + digits - 1; i >= at; i--) {
    const digit = 48 + (rest % 8)
    header[i] = digit
    sum += digit
    rest = Math.floor(rest / 8)
  }
  return sum
}
