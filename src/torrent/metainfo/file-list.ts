import { bad, count, dictionary, text } from './fields.ts'
import { linksInside } from './links.ts'
import { nameFault } from './names.ts'
import type { TorrentFile, TorrentLink } from './torrent-file.ts'

interface Listed {
  path: string[]
  length: number
  /** BEP 47: `p` is padding, `l` a symlink, `x` executable. */
  attributes: string
  target: string[]
}

/** The files of a directory, its symlinks, and the length of all content. */
export interface FileList {
  files: TorrentFile[]
  links: TorrentLink[]
  length: number
}

/** Reads `files` of an info dictionary. Padding (BEP 47) is content, but no file. */
export function readFileList(value: unknown): FileList {
  if (!Array.isArray(value) || value.length === 0) throw bad('files is no list')
  const listed = value.map(readEntry)
  const files: TorrentFile[] = []
  let [length, padding] = [0, 0]
  for (const { path, length: own, attributes } of listed) {
    length += own
    if (attributes.includes('p')) padding += own
    else if (!attributes.includes('l')) {
      files.push({
        path,
        length: own,
        ...(padding > 0 ? { padding } : {}),
        ...(attributes.includes('x') ? { executable: true } : {}),
      })
      padding = 0
    } else if (own > 0) throw bad(`the symlink ${JSON.stringify(path.join('/'))} has content`)
  }
  const links = listed.filter(({ attributes }) => attributes.includes('l') && !attributes.includes('p'))
  refuseClashes([...files, ...links].map(({ path }) => path))
  return { files, links: linksInside(files, links), length }
}

function readEntry(value: unknown): Listed {
  const file = dictionary(value, 'a file')
  const path = readPath(file['path.utf-8'] ?? file.path)
  if (path.length === 0) throw bad('a file has no path')
  const attributes = file.attr === undefined ? '' : text(file.attr, 'attr')
  const isLink = attributes.includes('l')
  const target = isLink ? readPath(file['symlink path'] ?? []) : []
  const length = isLink && file.length === undefined ? 0 : count(file.length, 'length')
  // Written by BitComet, and older than BEP 47.
  if (path.at(-1)?.startsWith('_____padding_file_')) return { path, length, attributes: 'p', target }
  const fault = path.map(nameFault).find((fault) => fault !== undefined)
  if (fault !== undefined) throw bad(`the path ${JSON.stringify(path.join('/'))} ${fault}`)
  return { path, length, attributes, target }
}

/** An empty name becomes `_`, as in libtorrent. */
function readPath(value: unknown): string[] {
  if (!Array.isArray(value)) throw bad('a file has no path')
  return value.map((part) => text(part, 'path') || '_')
}

function refuseClashes(paths: string[][]): void {
  const seen = new Set<string>()
  for (const path of paths) {
    const key = path.join('/')
    if (seen.has(key)) throw bad(`the path ${JSON.stringify(key)} comes twice`)
    seen.add(key)
  }
  for (const path of paths) {
    for (let depth = 1; depth < path.length; depth++) {
      const above = path.slice(0, depth).join('/')
      if (seen.has(above)) throw bad(`${JSON.stringify(above)} is both a file and a directory`)
    }
  }
}
