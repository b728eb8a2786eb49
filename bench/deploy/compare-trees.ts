import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

export interface Comparison {
  ignore: string[]
  mtimes: boolean
}

/**
 * The differences between two trees, one on each line, at most ten: names, types, permission bits, link targets, content and
 * (to the second) modification times. Names in `ignore` are left out at the top level of both.
 */
export async function compareTrees(expected: string, actual: string, options: Comparison): Promise<string[]> {
  const found: string[] = []
  await compareDirectory(expected, actual, '', options, found)
  return found.length > 10 ? [...found.slice(0, 10), `and ${found.length - 10} more`] : found
}

async function compareDirectory(
  expected: string,
  actual: string,
  path: string,
  options: Comparison,
  found: string[],
): Promise<void> {
  const list = async (root: string) =>
    (await readdir(join(root, path))).filter((name) => path !== '' || !options.ignore.includes(name)).sort()
  const [wanted, got] = await Promise.all([list(expected), list(actual)])
  for (const name of got) if (!wanted.includes(name)) found.push(`${join(path, name)}: should not be there`)
  const present = new Set(got)
  for (const name of wanted) {
    const inside = join(path, name)
    if (!present.has(name)) found.push(`${inside}: missing`)
    else await compareEntry(expected, actual, inside, options, found)
  }
}

async function compareEntry(
  expected: string,
  actual: string,
  path: string,
  options: Comparison,
  found: string[],
): Promise<void> {
  const [one, other] = [join(expected, path), join(actual, path)]
  const [a, b] = await Promise.all([lstat(one), lstat(other)])
  const octal = (mode: number) => (mode & 0o7777).toString(8)
  if ((a.mode & 0o170000) !== (b.mode & 0o170000)) found.push(`${path}: another type`)
  else if (a.isSymbolicLink()) {
    if ((await readlink(one)) !== (await readlink(other))) found.push(`${path}: links elsewhere`)
  } else {
    if (octal(a.mode) !== octal(b.mode)) found.push(`${path}: mode ${octal(b.mode)}, not ${octal(a.mode)}`)
    if (options.mtimes && Math.floor(a.mtimeMs / 1000) !== Math.floor(b.mtimeMs / 1000)) {
      found.push(`${path}: modified ${b.mtime.toISOString()}, not ${a.mtime.toISOString()}`)
    }
    if (a.isDirectory()) await compareDirectory(expected, actual, path, options, found)
    else if (a.size !== b.size) found.push(`${path}: ${b.size} bytes, not ${a.size}`)
    else if (!(await sameContent(one, other))) found.push(`${path}: other content`)
  }
}

async function sameContent(one: string, other: string): Promise<boolean> {
  const files = [await open(one), await open(other)] as const
  const chunks = [Buffer.allocUnsafe(2 ** 20), Buffer.allocUnsafe(2 ** 20)] as const
  try {
    for (;;) {
      const [a, b] = await Promise.all([files[0].read(chunks[0]), files[1].read(chunks[1])])
      if (a.bytesRead !== b.bytesRead) return false
      if (a.bytesRead === 0) return true
      if (!chunks[0].subarray(0, a.bytesRead).equals(chunks[1].subarray(0, b.bytesRead))) return false
    }
  } finally {
    await Promise.all(files.map((file) => file.close()))
  }
}
