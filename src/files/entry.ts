/** A file, directory or symlink of a release. The release directory itself is the entry `.`, which is always first. */
export interface Entry {
  /** Relative to the release, '/' between the parts. */
  path: string
  type: 'file' | 'directory' | 'symlink'
  /** Permission bits with setuid, setgid and sticky: & 0o7777. Always 0o777 for a symlink. */
  mode: number
  /** Nanoseconds since 1970. */
  mtime: bigint
  /** Bytes of content; 0 for anything but a file. */
  size: number
  /** Target of a symlink, as written in it. */
  linkname?: string
  /** Where the content is read when that is not at `path`: a symlink that travels as the file it points to. */
  source?: string
}

/** The longest path and link target Linux can open (PATH_MAX less the NUL). */
export const MAX_PATH_BYTES = 4095

/** Whether each of its characters is one byte in UTF-8. */
export const isAscii = (text: string): boolean => /^[^\u0080-\uffff]*$/.test(text)

/** A string that compares by `<` as the UTF-8 bytes of `path` do. */
function bytewise(path: string): string {
  if (path === '.') return ''
  return isAscii(path) ? path : Buffer.from(path).toString('latin1')
}

/** Sorted by the bytes of the path, the release itself first. So a directory comes before its entries. */
export function sortEntries<T extends Entry>(entries: T[]): T[] {
  const keyed = entries.map((entry) => ({ entry, key: bytewise(entry.path) }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return keyed.map(({ entry }) => entry)
}

/** An empty part, `.` or `..`. */
const BAD_PART = /(?:^|\/)\.{0,2}(?:\/|$)/

/** Why `path` must not be created or read below a directory; undefined when it is harmless. */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (path.includes('\0')) return 'holds a NUL byte'
  if (path.startsWith('/')) return 'is absolute'
  if (path.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(path) > MAX_PATH_BYTES)
    return `is longer than ${MAX_PATH_BYTES} bytes`
  if (!BAD_PART.test(path)) return undefined
  for (const part of path.split('/')) {
    if (part === '..') return "holds '..'"
    if (part === '' || part === '.') return 'holds an empty part'
  }
  return undefined
}

/** The path of the parent directory; `.` at the top. */
export function parentOf(path: string): string {
  const end = path.lastIndexOf('/')
  return end < 0 ? '.' : path.slice(0, end)
}

/** The last part of `path`. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** `path` as one line for people: newlines and control characters escaped, quoted when it needs to be. */
export function shown(path: string): string {
  const short = path.length > 300 ? `${path.slice(0, 297)}...` : path
  return /^[\w./@+:-]+$/.test(short) ? short : JSON.stringify(short)
}
