import { MurderError } from '../../errors.ts'
import { type Entry, MAX_PATH_BYTES, pathFault, shown } from '../../files/entry.ts'
import { NS_PER_S } from '../../files/times.ts'

/** The fields of a tar header that are used here. Owner and device numbers are never used. */
export interface TarHeader {
  name: string
  /** `file`, `directory`, `symlink` or the name of another type; undefined when unknown. */
  type: string | undefined
  mode: number
  size: number
  /** The modification time, since 1970. */
  seconds: number
  linkname: string
  /** Records of the pax header before it, by keyword. */
  pax?: Record<string, string>
}

/**
 * A header of an untrusted archive as an entry. Throws PACKAGE_REFUSED for an absolute path, `..`, NUL, and any type but file,
 * directory and symlink. The target of a symlink may be anything, because nothing is ever written through one.
 */
export function entryFromHeader(header: TarHeader): Entry {
  const path = header.name === '.' || header.name === './' ? '.' : header.name.replace(/\/$/, '')
  const fault = path === '.' ? undefined : pathFault(path)
  if (fault) throw refused(header.name, fault)
  const common = { path, mode: header.mode & 0o7777, mtime: mtimeOf(header) }
  if (header.type === 'file' && path !== '.') return { ...common, type: 'file', size: header.size }
  if (header.type === 'directory') return { ...common, type: 'directory', size: 0 }
  if (header.type !== 'symlink' || path === '.')
    throw refused(header.name, `is a ${header.type ?? 'thing of unknown type'}`)
  const { linkname } = header
  if (linkname === '' || linkname.includes('\0') || Buffer.byteLength(linkname) > MAX_PATH_BYTES)
    throw refused(header.name, 'is a symlink with an impossible target')
  return { ...common, type: 'symlink', mode: 0o777, size: 0, linkname }
}

export function refused(path: string, why: string): MurderError {
  return new MurderError('PACKAGE_REFUSED', `the package is refused: ${shown(path)} ${why}`, {
    cure: 'nothing was unpacked; find out who made this package before you deploy again',
  })
}

/** The latest time on ext4, in the year 2446. A later time is set to this and is no failure. */
const MAX_MTIME_S = 15_032_385_535n

function mtimeOf(header: TarHeader): bigint {
  const pax = header.pax?.mtime
  if (pax === undefined) return cut(BigInt(header.seconds) * NS_PER_S)
  const match = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?$/.exec(pax)
  if (!match) throw refused(header.name, 'has an impossible mtime')
  const size = BigInt(match[2] ?? 0) * NS_PER_S + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  return cut(match[1] ? -size : size)
}

function cut(mtime: bigint): bigint {
  const most = MAX_MTIME_S * NS_PER_S
  return mtime > most ? most : mtime < -most ? -most : mtime
}
