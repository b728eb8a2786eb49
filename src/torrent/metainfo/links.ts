import { nameFault } from './names.ts'
import type { TorrentFile, TorrentLink } from './torrent-file.ts'

/** As many as Linux follows. */
const MAX_HOPS = 40

const key = (path: string[]) => path.join('/')
/** A path, and before it all directories that lead to it. */
const prefixes = (path: string[]) => path.map((_, index) => key(path.slice(0, index + 1)))

/**
 * The symlinks (BEP 47) that end at a file or a directory of the torrent. Others are left out: they could lead anywhere.
 * A target is a path from the top, or, as some programs write it, from where the link is.
 */
export function linksInside(files: TorrentFile[], links: TorrentLink[]): TorrentLink[] {
  if (links.length === 0) return []
  const there = new Set([
    ...files.flatMap(({ path }) => prefixes(path)),
    ...links.flatMap(({ path }) => prefixes(path.slice(0, -1))),
  ])
  const linkPaths = new Set(links.map(({ path }) => key(path)))
  const targets = new Map<string, string[]>()
  for (const { path, target } of links) {
    const found = [[], path.slice(0, -1)]
      .map((directory) => walk(directory, target))
      .find((to) => to && (there.has(key(to)) || prefixes(to).some((prefix) => linkPaths.has(prefix))))
    if (found) targets.set(key(path), found)
  }
  return links.flatMap(({ path }) => {
    const target = targets.get(key(path))
    return target && there.has(key(follow(target, targets))) ? [{ path, target }] : []
  })
}

/** The path to which `names` lead from a directory; undefined if that is the top itself or outside. */
function walk(directory: string[], names: string[]): string[] | undefined {
  const path = [...directory]
  for (const name of names) {
    if (name !== '..') path.push(name)
    else if (path.pop() === undefined) return undefined
    if (name !== '..' && nameFault(name) !== undefined) return undefined
  }
  return path.length > 0 ? path : undefined
}

/** A path with its links resolved; undefined for too many links. */
function follow(path: string[], targets: ReadonlyMap<string, string[]>): string[] {
  let now = path
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const depth = prefixes(now).findIndex((prefix) => targets.has(prefix))
    if (depth < 0) return now
    now = [...(targets.get(key(now.slice(0, depth + 1))) as string[]), ...now.slice(depth + 1)]
  }
  return now
}
