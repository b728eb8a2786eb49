import type { TorrentFile } from './torrent-file.ts'

/** libtorrent cuts names that have more bytes. */
const MAX_NAME_BYTES = 240

/** Things in a torrent that other clients change or refuse, by kind. */
const KINDS: { what: string; happens: string; applies: (name: string) => boolean }[] = [
  {
    what: 'a backslash in its name',
    happens: 'rename it or make a directory of it',
    applies: (name) => name.includes('\\'),
  },
  {
    what: 'a name that ends with a dot or a space, or begins with a space',
    happens: 'leave that out or refuse it',
    applies: (name) => /^ |[. ]$/.test(name),
  },
  {
    what: `a name of more than ${MAX_NAME_BYTES} bytes`,
    happens: 'cut it',
    applies: (name) => Buffer.byteLength(name) > MAX_NAME_BYTES,
  },
]

/** What people should know before they give this torrent to other clients: one line for each kind. */
export function otherClientsNotes(name: string, files: readonly TorrentFile[]): string[] {
  const paths = files.map(({ path }) => [name, ...path])
  const notes = KINDS.flatMap(({ what, happens, applies }) => {
    const found = paths.filter((path) => path.some(applies))
    return noteOf(found, what, happens)
  })
  const empty = files.filter(({ length }) => length === 0).map(({ path }) => [name, ...path])
  return [...notes, ...noteOf(empty, 'no content', 'make no file of it')]
}

function noteOf(paths: readonly string[][], what: string, happens: string): string[] {
  const [first] = paths
  if (!first) return []
  const others = paths.length > 1 ? `, and so ${paths.length - 1} more` : ''
  return [`${JSON.stringify(first.slice(1).join('/'))}${others}: ${what}, and some other clients ${happens}`]
}
