import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { formatRsyncCommand } from 'ssh-pool/lib/commands/rsync.js'
import { describe, expect, it } from 'vitest'
import { readCopyOptions } from '../../src/config/copy/copy-options.ts'
import { type FilterOption, rsyncFilter } from '../../src/package/pack/rsync-filter.ts'
import { fuzz, type Random } from '../support/fuzz.ts'

const hasRsync = spawnSync('rsync', ['--version']).status === 0

const letters = ['a', 'b', 'c', '.']
const oddities = ['-', '#', '!', '+', ' ', '\\', '[', ']', '*', '?', ':', '^', 'é', '{', '~', '\n', '$']
const wildcards = [
  '*',
  '*',
  '**',
  '***',
  '?',
  '/',
  '/',
  '/',
  '**/',
  '/**',
  '/**/',
  '/***',
  '\\',
  '\\*',
  '\\a',
  '\\\\',
]
const classes = [
  ...[
    '[ab]',
    '[!a]',
    '[^b]',
    '[a-c]',
    '[c-a]',
    '[a-]',
    '[-a]',
    '[]a]',
    '[!]a]',
    '[]-a]',
    '[\\]]',
    '[a\\-c]',
    '[a-b-c]',
  ],
  ...[
    '[[:alpha:]]',
    '[![:punct:]]',
    '[[:space:]]',
    '[[:digit:]-b]',
    '[[:upper:][:lower:]]',
    '[[:foo:]]',
    '[[:a]',
    '[[-b]',
  ],
  ...['[', '[a/b]', '[^/]', '[é]', '[!-~]', '[a', '[\\', '[a-\\c]'],
]

const pick = <T>(from: readonly T[], next: Random): T => from[next(from.length)] as T

const name = (next: Random): string => {
  const text = Array.from({ length: 1 + next(3) }, () => pick(next(4) ? letters : oddities, next)).join('')
  return text === '.' || text === '..' ? name(next) : text
}

/** Files, directories and symlinks with odd names; their paths. */
function randomTree(root: string, next: Random): string[] {
  const directories = ['']
  const paths = new Set<string>()
  for (let left = 5 + next(80); left > 0; left--) {
    const path = join(pick(directories, next), name(next))
    if (paths.has(path)) continue
    paths.add(path)
    const kind = next(10)
    if (kind === 0) symlinkSync('a', join(root, path))
    else if (kind < 5) writeFileSync(join(root, path), '')
    else {
      mkdirSync(join(root, path))
      directories.push(path)
    }
  }
  return [...paths]
}

/** A pattern out of nothing, or what is left of a path with parts of it replaced. */
function randomPattern(paths: readonly string[], next: Random): string {
  const parts = [letters, letters, oddities, wildcards, wildcards, classes]
  const part = () => pick(pick(parts, next), next)
  if (next(40) === 0) return '!'
  let pattern = ''
  if (next(2)) pattern = Array.from({ length: 1 + next(5) }, part).join('')
  else {
    const elements = pick(paths, next).split('/')
    pattern = elements.slice(next(elements.length)).join('/')
    for (let changes = next(3); changes > 0; changes--) {
      const at = next(pattern.length + 1)
      pattern = pattern.slice(0, at) + part() + pattern.slice(at + next(3))
    }
  }
  const prefix = next(4) ? '' : pick(['/', '/', '+ ', '- ', '+ /', '!', '/**', '**/'], next)
  return prefix + pattern + (next(6) ? '' : '/')
}

function fromRsync(source: string, ...filter: [excludes: string[], args: string[]]): string[] {
  const [excludes, additionalArgs] = filter
  const command = formatRsyncCommand({
    ...{ src: `"${source}"`, dest: '/nowhere/at/all/', excludes },
    additionalArgs: ['-n8', '--out-format=%n', ...additionalArgs],
  })
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
    .split('\n')
    .filter((line) => line !== '' && line !== './' && !line.startsWith('created '))
    .map((line) => line.replace(/\\#(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))))
    .sort()
}

/** The same, below `root`, by our filter; paths begin with `prefix`. */
function fromUs(root: string, prefix: string, options: FilterOption[]): string[] {
  const excludes = rsyncFilter(options)
  const found: string[] = []
  const look = (path: string, seen: string) => {
    const isDirectory = lstatSync(path).isDirectory()
    if (seen !== '' && excludes(seen, isDirectory)) return
    if (seen !== '') found.push(isDirectory ? `${seen}/` : seen)
    if (isDirectory) for (const name of readdirSync(path)) look(join(path, name), join(seen, name))
  }
  look(root, prefix)
  return found.sort()
}

describe.skipIf(!hasRsync)('beside rsync', () => {
  it('leaves out the same files, whatever the patterns', async () => {
    await fuzz(15, (next) => {
      const root = mkdtempSync(join(tmpdir(), 'murder-filter-'))
      try {
        const paths = randomTree(root, next)
        for (let runs = 4; runs > 0; runs--) {
          const patterns = Array.from({ length: 1 + next(8) }, () => randomPattern(paths, next))
          const written = patterns.map((pattern) => pattern.replace(/["$`]|\\(?=["$`\\\n]|$)/g, '\\$&'))
          const { copy, problems } = readCopyOptions({ ignores: written })
          if (problems.length > 0) continue
          expect(copy.filter.map(({ pattern }) => pattern)).toEqual(patterns)
          const asDirectory = next(4) === 0
          const ours = fromUs(root, asDirectory ? basename(root) : '', copy.filter)
          expect(ours, JSON.stringify(patterns)).toEqual(
            fromRsync(asDirectory ? root : `${root}/`, written, []),
          )
        }
      } finally {
        rmSync(root, { recursive: true })
      }
    })
  })
})
