import { type Entry, MAX_PATH_BYTES, parentOf, pathFault, shown } from '../../files/entry.ts'
import { NS_PER_S } from '../../files/times.ts'
import { defined } from '../../system/defined.ts'
import type { AclNames } from '../acl.ts'
import { badManifest, MANIFEST, type Manifest, type TreeEntry } from '../entry.ts'
import { XATTRS_LISTED } from './encode.ts'
import { unescapePath } from './vis.ts'

const types: Record<string, Entry['type']> = { file: 'file', dir: 'directory', link: 'symlink' }
const limits = { bytes: 256 << 20, entries: 2_000_000, xattrs: 1 << 20, names: 100_000 }
/** The longest name that kernel and file systems take. */
const MAX_NAME_LENGTH = 255

/**
 * Reads an untrusted manifest. The result is a tree: the directory itself first, every path once, each in a directory that came
 * before it, and hard links only between entries that are alike. Throws MurderError BAD_MANIFEST.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > limits.bytes) throw bad('it is too long')
  const tree = new Tree()
  let defaults: Words = {}
  let hasXattrs = false
  const names: AclNames = { users: new Map(), groups: new Map() }
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    if (line === XATTRS_LISTED) hasXattrs = true
    else if (line.startsWith('#xattr ')) tree.addXattr(line.slice(7))
    else if (line.startsWith('#hardlink ')) tree.addHardlink(line.slice(10))
    else if (line.startsWith('#acl-user ')) addName(names.users, line.slice(10))
    else if (line.startsWith('#acl-group ')) addName(names.groups, line.slice(11))
    else if (line.startsWith('/set ')) defaults = { ...defaults, ...wordsOf(line.slice(5)) }
    else if (line !== '' && !line.startsWith('#')) tree.add(entryOf(line, defaults))
  }
  const aclNames = names.users.size + names.groups.size > 0 ? names : undefined
  return { entries: tree.finish(), hasXattrs, ...defined({ aclNames }) }
}

function addName(names: Map<number, string>, text: string): void {
  const [id, name = ''] = text.split(' ')
  if (names.size >= limits.names) throw bad('it has too many names')
  names.set(whole('an ACL', 'uid', id, 0xffff_fffe), nameOf('an ACL', name))
}

/** Builds the tree line by line, and refuses a line that does not fit. */
class Tree {
  readonly #entries = new Map<string, TreeEntry>()
  #last: TreeEntry | undefined

  add(entry: TreeEntry): void {
    if (this.#entries.size >= limits.entries) throw bad('it has too many entries')
    if (this.#entries.size === 0 && (entry.path !== '.' || entry.type !== 'directory'))
      throw bad('it does not begin with the directory itself')
    if (this.#entries.has(entry.path)) throw bad(`${shown(entry.path)} comes twice`)
    if (entry.path !== '.' && this.#entries.get(parentOf(entry.path))?.type !== 'directory')
      throw bad(`${shown(entry.path)} is in no directory that came before`)
    this.#entries.set(entry.path, entry)
    this.#last = entry
  }

  addXattr(text: string): void {
    const [name, value = '', ...more] = text.split(' ')
    const readable = unescapePath(name ?? '')
    const right = /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length <= limits.xattrs && more.length === 0
    if (!this.#last || !readable || readable.length > MAX_NAME_LENGTH || readable.includes('\0') || !right)
      throw bad('an extended attribute is not readable')
    this.#last.xattrs = { ...this.#last.xattrs, [readable]: value }
  }

  addHardlink(text: string): void {
    const path = pathOf(text)
    const first = this.#entries.get(path)
    const last = this.#last
    const fits =
      last?.type === first?.type && last?.type !== 'directory' && first !== last && !first?.hardlink
    const alike = (['size', 'sha256', 'linkname'] as const).every((key) => first?.[key] === last?.[key])
    if (!last || !fits || !alike)
      throw bad(`${shown(path)} and ${shown(last?.path ?? '')} cannot be one file`)
    last.hardlink = path
  }

  finish(): TreeEntry[] {
    if (this.#entries.size === 0) throw bad('it is empty')
    // The manifest's own line is for other readers.
    this.#entries.delete(MANIFEST)
    return [...this.#entries.values()]
  }
}

type Words = Record<string, string>

function wordsOf(text: string): Words {
  const words: Words = Object.create(null)
  for (const word of text.split(' ')) {
    const end = word.indexOf('=')
    if (end > 0) words[word.slice(0, end)] = word.slice(end + 1)
  }
  return words
}

function entryOf(line: string, defaults: Words): TreeEntry {
  const end = line.indexOf(' ')
  if (end < 0) throw bad('a line has no keywords')
  const path = pathOf(line.slice(0, end))
  const words: Words = { ...defaults, ...wordsOf(line.slice(end + 1)) }
  const type = Object.hasOwn(types, words.type ?? '') ? types[words.type as string] : undefined
  if (!type) throw bad(`${shown(path)} is a ${String(words.type).slice(0, 20)}`)
  const { uname, gname, sha256digest: sha256 } = words
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) throw bad(`${shown(path)} has no SHA-256`)
  return {
    path,
    type,
    mode: whole(path, 'mode', /^[0-7]{1,5}$/.test(words.mode ?? '') ? `0o${words.mode}` : undefined, 0o7777),
    mtime: timeOf(path, words.time),
    uid: whole(path, 'uid', words.uid, 0xffff_fffe),
    gid: whole(path, 'gid', words.gid, 0xffff_fffe),
    size: type === 'file' && path !== MANIFEST ? whole(path, 'size', words.size, Number.MAX_SAFE_INTEGER) : 0,
    ...defined({
      uname: uname ? nameOf(path, uname) : undefined,
      gname: gname ? nameOf(path, gname) : undefined,
      sha256,
      linkname: type === 'symlink' ? linkOf(path, words.link) : undefined,
    }),
  }
}

function pathOf(text: string): string {
  const path = unescapePath(text)
  if (path === '.') return '.'
  if (!path?.startsWith('./')) throw bad(`the path ${shown(text)} does not begin with './'`)
  const fault = pathFault(path.slice(2))
  if (fault) throw bad(`the path ${shown(path)} ${fault}`)
  return path.slice(2)
}

function linkOf(path: string, text: string | undefined): string {
  const target = unescapePath(text ?? '')
  if (target && Buffer.byteLength(target) <= MAX_PATH_BYTES && !target.includes('\0')) return target
  throw bad(`the symlink ${shown(path)} has an impossible target`)
}

function nameOf(path: string, text: string): string {
  const name = unescapePath(text)
  if (name && !/[\0:\n]/.test(name) && name.length <= MAX_NAME_LENGTH) return name
  throw bad(`${shown(path)} has an owner of an impossible name`)
}

function timeOf(path: string, text: string | undefined): bigint {
  const match = /^(-?\d{1,12})(?:\.(\d{9}))?$/.exec(text ?? '')
  if (match) return BigInt(match[1] as string) * NS_PER_S + BigInt(match[2] ?? 0)
  throw bad(`${shown(path)} has no time`)
}

function whole(path: string, name: string, text: string | undefined, greatest: number): number {
  const value = text && /^(0o[0-7]+|\d+)$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value <= greatest) return value
  throw bad(`${shown(path)} has no ${name}`)
}

const bad = (why: string) => badManifest('are refused', why)
