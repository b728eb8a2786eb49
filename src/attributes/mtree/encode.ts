import { splitTime } from '../../files/times.ts'
import type { AclNames } from '../acl.ts'
import { MANIFEST, type Manifest, type TreeEntry } from '../entry.ts'
import { escapePath } from './vis.ts'

const HEAD =
  '#mtree\n# Made by murder. Check a directory with it: murder verify, mtree -f, bsdtar @.murder.mtree\n'
/** The line that says that the extended attributes of all entries are listed. */
export const XATTRS_LISTED = '#xattrs'

const typeNames = { file: 'file', directory: 'dir', symlink: 'link' } as const

/**
 * The manifest in mtree(5) format: a line for each entry, with its whole path. Extended attributes and hard links, for which
 * mtree has no keywords, follow their entry in comments, which all readers skip; names of users and
 * groups in ACLs are in comments at the top. The manifest lists itself.
 */
export function encodeManifest({ entries, hasXattrs, aclNames }: Manifest): Buffer {
  const usual = usualOwner(entries)
  const lines = usual === undefined ? [] : [`/set ${usual}`]
  for (const entry of entries) {
    lines.push(...linesOf(entry, usual))
    if (entry.path === '.') lines.push(ownLine(entry))
  }
  const comments = [...(hasXattrs ? [XATTRS_LISTED] : []), ...namesOf(aclNames)]
  return Buffer.from(`${HEAD}${[...comments, ...lines].join('\n')}\n`)
}

function namesOf({ users, groups }: AclNames = { users: new Map(), groups: new Map() }): string[] {
  const linesOf = (kind: string, names: Map<number, string>) =>
    [...names].map(([id, name]) => `#acl-${kind} ${id} ${escapePath(name)}`)
  return [...linesOf('user', users), ...linesOf('group', groups)]
}

function linesOf(entry: TreeEntry, usual: string | undefined): string[] {
  const path = entry.path === '.' ? '.' : `./${entry.path}`
  const owner = ownerOf(entry)
  const words = [
    escapePath(path),
    `type=${typeNames[entry.type]}`,
    `mode=${octal(entry.mode)}`,
    ...(owner === usual ? [] : [owner]),
    `time=${timeOf(entry.mtime)}`,
    ...(entry.type === 'file' ? [`size=${entry.size}`] : []),
    ...(entry.sha256 ? [`sha256digest=${entry.sha256}`] : []),
    ...(entry.linkname === undefined ? [] : [`link=${escapePath(entry.linkname)}`]),
  ]
  const comments = Object.entries(entry.xattrs ?? {}).map(
    ([name, value]) => `#xattr ${escapePath(name)} ${value}`,
  )
  if (entry.hardlink !== undefined) comments.push(`#hardlink ${escapePath(`./${entry.hardlink}`)}`)
  return [words.join(' '), ...comments]
}

/** Without length and hash, because the manifest cannot know its own. */
function ownLine(root: TreeEntry): string {
  return `./${MANIFEST} type=file mode=0644 ${ownerOf(root)} time=${timeOf(root.mtime)} optional`
}

function ownerOf({ uid, gid, uname, gname }: TreeEntry): string {
  const names = `${uname ? ` uname=${escapePath(uname)}` : ''}${gname ? ` gname=${escapePath(gname)}` : ''}`
  return `uid=${uid} gid=${gid}${names}`
}

/** The owner of most entries, to be written once. None where some have no names: a line cannot undo a `/set`. */
function usualOwner(entries: TreeEntry[]): string | undefined {
  if (entries.some(({ uname, gname }) => !uname || !gname)) return undefined
  const counts = new Map<string, number>()
  for (const entry of entries) {
    const owner = ownerOf(entry)
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  return [...counts].reduce((most, next) => (next[1] > most[1] ? next : most))[0]
}

export const octal = (mode: number) => mode.toString(8).padStart(4, '0')

/** Always nine digits after the dot: some readers take them as a whole number. */
function timeOf(mtime: bigint): string {
  const { seconds, nanoseconds } = splitTime(mtime)
  return `${seconds}.${String(nanoseconds).padStart(9, '0')}`
}
