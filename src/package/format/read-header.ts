import type { TarHeader } from './archive-entry.ts'
import { BLOCK_BYTES } from './header.ts'

/** By typeflag (POSIX.1-2017, ustar). */
const types = new Map(
  Object.entries({
    '\0': 'file',
    '0': 'file',
    '1': 'hard link',
    '2': 'symlink',
    '3': 'character device',
    '4': 'block device',
    '5': 'directory',
    '6': 'fifo',
    x: 'pax header',
  }).map(([flag, name]) => [flag.charCodeAt(0), name]),
)

/** Reads a header of `header.ts`; undefined for an empty block. Throws when the bytes are no header. */
export function readHeader(bytes: Buffer): TarHeader | undefined {
  const sum = checksum(bytes)
  if (sum === EMPTY_SUM) return undefined
  if (sum !== octal(bytes, 148, 8)) throw new Error('a header has another checksum')
  if (bytes.toString('latin1', 257, 262) !== 'ustar') throw new Error('a header is of another format')
  const prefix = text(bytes, 345, 155)
  const name = text(bytes, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: types.get(bytes[156] as number),
    mode: octal(bytes, 100, 8),
    size: octal(bytes, 124, 12),
    seconds: octal(bytes, 136, 12),
    linkname: text(bytes, 157, 100),
  }
}

/** Records of a pax extended header: `<length> <keyword>=<value>\n`, where the length counts all of it. */
export function readPax(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = {}
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const length = space > at ? Number(bytes.toString('latin1', at, space)) : Number.NaN
    const end = at + length
    const equals = bytes.indexOf(0x3d, space)
    if (!(end <= bytes.length) || equals < space || equals >= end || bytes[end - 1] !== 0x0a)
      throw new Error('an extended header is broken')
    records[bytes.toString('utf8', space + 1, equals)] = bytes.toString('utf8', equals + 1, end - 1)
    at = end
  }
  return records
}

/** The header with the values of its pax records, which take precedence. */
export function withPax(header: TarHeader, pax: Record<string, string>): TarHeader {
  const { path = header.name, linkpath = header.linkname, size } = pax
  return {
    ...header,
    pax,
    name: path,
    linkname: linkpath,
    size: size === undefined ? header.size : Number(size),
  }
}

/** The sum of all bytes. Those of the checksum itself count as spaces. */
function checksum(bytes: Buffer): number {
  let sum = EMPTY_SUM
  for (let i = 0; i < BLOCK_BYTES; i++) sum += bytes[i] as number
  for (let i = 148; i < 156; i++) sum -= bytes[i] as number
  return sum
}

const EMPTY_SUM = 8 * 0x20

function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.indexOf(0, at)
  return bytes.toString('utf8', at, end < 0 || end > at + length ? at + length : end)
}

function octal(bytes: Buffer, at: number, length: number): number {
  let value = 0
  for (let i = at; i < at + length; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (digit >= 0 && digit < 8) value = value * 8 + digit
    else if (bytes[i] !== 0 && bytes[i] !== 0x20) throw new Error('a header holds a number that is none')
  }
  return value
}
