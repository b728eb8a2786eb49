import { MANIFEST, type Manifest, type TreeEntry } from './entry.ts'
import { escapePath } from './vis.ts'

const NS_PER_S = 1_000_000_000n
const HEAD =
  '#mtree\n# Made by murder. Check a directory with it: murder verify, mtree -f, bsdtar @.murder.mtree\n'
/** Says that the extended attributes of all entries are listed. */
export const XATTRS_LISTED = '#xattrs'

const typeNames = { file: 'file', directory: 'dir', symlink: 'link' } as const

/**
 * The manifest in mtree(5) format, one entry a line by its whole path. What mtree has no keyword for (extended
 * attributes, names of one file) follows its entry in comments, which all readers skip. The manifest lists itself.
 */
export function encodeManifest({ entries, hasXattrs }: Manifest): Buffer {
  const usual = usualOwner(entries)
  const lines = usual === undefined ? [] : [`/set ${usual}`]
  for (const entry of entries) {
    lines.push(...linesOf(entry, usual))
    if (entry.path === '.') lines.push(ownLine(entry))
  }
  return Buffer.from(`${HEAD}${hasXattrs ? `${XATTRS_LISTED}\n` : ''}${lines.join('\n')}\n`)
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

/** No length or hash: it would have to hold its own. */
function ownLine(root: TreeEntry): string {
  return `./${MANIFEST} type=file mode=0644 ${ownerOf(root)} time=${timeOf(root.mtime)} optional`
}

function ownerOf({ uid, gid, uname, gname }: TreeEntry): string {
  const names = `${uname ? ` uname=${escapePath(uname)}` : ''}${gname ? ` gname=${escapePath(gname)}` : ''}`
  return `uid=${uid} gid=${gid}${names}`
}

/** What most entries have, to say it once; not where some have no names, for a line cannot take back what was set. */
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

/** Some readers take what follows the dot as a whole number, so it has all nine digits. */
function timeOf(mtime: bigint): string {
  const nanoseconds = ((mtime % NS_PER_S) + NS_PER_S) % NS_PER_S
  return `${(mtime - nanoseconds) / NS_PER_S}.${String(nanoseconds).padStart(9, '0')}`
}
