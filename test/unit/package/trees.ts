import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory of this test's own, removed when it ends. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'murder-package-'))
  onTestFinished(() => {
    execFileSync('chmod', ['-R', 'u+rwX', directory])
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

/** A path that ends in '/' is a directory, a value `{ link }` a symlink, anything else a file's content. */
export type Tree = Record<
  string,
  string | Buffer | { link: string; at?: string } | { content?: string | Buffer; mode?: number; at?: string }
>

/**
 * Makes `tree` below `root`, then sets times (`at` is seconds as `touch -d @` has them), then modes in the order given: a
 * directory that shuts out its owner comes after what is in it.
 */
export function plant(root: string, tree: Tree): string {
  const times = new Map<string, string[]>()
  const modes = new Map<string, number>()
  for (const [name, what] of Object.entries(tree)) {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    const thing = typeof what === 'string' || Buffer.isBuffer(what) ? { content: what } : what
    if ('link' in thing) symlinkSync(thing.link, path)
    else if (name.endsWith('/')) mkdirSync(path, { recursive: true })
    else writeFileSync(path, thing.content ?? '')
    if ('mode' in thing && thing.mode !== undefined) modes.set(path, thing.mode)
    const at = thing.at ?? '1700000000'
    times.set(at, [...(times.get(at) ?? []), path])
  }
  for (const [at, paths] of times) touch(paths, at)
  for (const [path, mode] of modes) chmodSync(path, mode)
  return root
}

/** Sets the times of files, directories and symlinks; `at` is seconds, with up to nine decimals. */
export function touch(paths: string | string[], at: string): void {
  const plain = [paths].flat().map((path) => path.replace(/\/$/, ''))
  execFileSync('touch', ['-h', '-d', `@${at}`, '--', ...plain])
}

/** What is at `root`: one line an entry. Times in whole seconds unless `times` gives another look at them. */
export function survey(root: string, times = (mtime: bigint) => String(mtime / 1_000_000_000n)): string[] {
  const lines: string[] = []
  const look = (path: string) => {
    const full = join(root, path)
    const stats = lstatSync(full, { bigint: true })
    const mode = (Number(stats.mode) & 0o7777).toString(8)
    const what = stats.isSymbolicLink()
      ? `-> ${readlinkSync(full)}`
      : stats.isDirectory()
        ? 'directory'
        : `${stats.size} ${createHash('sha256').update(readFileSync(full)).digest('hex').slice(0, 12)}`
    lines.push(`${JSON.stringify(path)} ${mode} ${times(stats.mtimeNs)} ${what}`)
    if (stats.isDirectory()) for (const name of readdirSync(full).sort()) look(join(path, name))
  }
  look('.')
  return lines
}

/** Runs `work` as a user who is not root, so that permissions count. */
export async function unprivileged<T>(work: () => T | Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return await work()
  process.seteuid?.(65534)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}
