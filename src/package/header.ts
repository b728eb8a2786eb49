import { type Entry, isAscii } from './entry.ts'

const block = 512
const typeflags = { file: '0', symlink: '2', directory: '5' } as const
/** The largest size (8 GiB - 1) and time that eleven octal digits hold. */
const mostOctal = 0o77777777777

/** How many zero bytes follow `size` bytes of content: tar counts in blocks of 512. */
export const paddingOf = (size: number): number => -size & (block - 1)

/** Two empty blocks end every archive. */
export const endLength = 2 * block

/** Length in bytes of the uncompressed package that `entries` make. */
export function packedLength(entries: Entry[]): number {
  let length = endLength
  for (const entry of entries) length += headerOf(entry).length + entry.size + paddingOf(entry.size)
  return length
}

/**
 * What stands before an entry's content: a ustar header (POSIX.1-2017, pax), with a pax extended header
 * before it only when the path, the link target, the size or the time do not fit. Owner is 0 and unnamed:
 * the package says nothing about the machine it was made on.
 */
export function headerOf(entry: Entry): Buffer {
  const records = paxRecords(entry)
  const path = split(entry.path)
  const main = ustar({
    path: path ?? { prefix: '', name: entry.path },
    mode: entry.mode,
    size: entry.size > mostOctal ? 0 : entry.size,
    seconds: headerSeconds(entry.mtime),
    typeflag: typeflags[entry.type],
    linkname: entry.linkname ?? '',
  })
  if (records === '') return main
  const body = Buffer.from(records)
  const before = ustar({
    path: { prefix: '', name: 'PaxHeader' },
    mode: 0o644,
    size: body.length,
    seconds: 0,
    typeflag: 'x',
    linkname: '',
  })
  return Buffer.concat([before, body, Buffer.alloc(paddingOf(body.length)), main])
}

function paxRecords(entry: Entry): string {
  let records = ''
  if (!split(entry.path)) records += record('path', entry.path)
  if (entry.linkname !== undefined && !fits(entry.linkname, 100))
    records += record('linkpath', entry.linkname)
  if (entry.size > mostOctal) records += record('size', String(entry.size))
  if (BigInt(headerSeconds(entry.mtime)) * 1_000_000_000n !== entry.mtime)
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

/** Whole seconds for the header's own field, which readers that know pax ignore when they don't tell all. */
function headerSeconds(mtime: bigint): number {
  if (mtime < 0n) return 0
  return Math.min(Number(mtime / 1_000_000_000n), mostOctal)
}

/** `-1.5` is one and a half seconds before 1970. */
function decimalSeconds(mtime: bigint): string {
  const size = mtime < 0n ? -mtime : mtime
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${mtime < 0n ? '-' : ''}${size / 1_000_000_000n}${fraction && `.${fraction}`}`
}

interface Fields {
  path: { prefix: string; name: string }
  mode: number
  size: number
  seconds: number
  typeflag: string
  linkname: string
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')

function ustar({ path, mode, size, seconds, typeflag, linkname }: Fields): Buffer {
  const header = Buffer.alloc(block)
  header.write(path.name, 0, 100)
  header.write(octal(mode, 7), 100, 'latin1')
  header.write('0000000', 108, 'latin1')
  header.write('0000000', 116, 'latin1')
  header.write(octal(size, 11), 124, 'latin1')
  header.write(octal(seconds, 11), 136, 'latin1')
  header.write('        ', 148, 'latin1')
  header.write(typeflag, 156, 'latin1')
  header.write(linkname, 157, 100)
  header.write('ustar\x0000', 257, 'latin1')
  header.write('0000000', 329, 'latin1')
  header.write('0000000', 337, 'latin1')
  header.write(path.prefix, 345, 155, 'latin1')
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return header
}
