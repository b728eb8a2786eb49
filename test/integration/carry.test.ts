import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { formatRsyncCommand } from 'ssh-pool/lib/commands/rsync.js'
import { describe, expect, it } from 'vitest'
import { carryFrom } from '../../src/agent/receive/install/carry.ts'
import { readCopyOptions } from '../../src/config/copy/copy-options.ts'
import type { Context } from '../../src/deploy/context/context.ts'
import { carryOrder } from '../../src/deploy/peers/carry-order.ts'
import { extentOf } from '../../src/deploy/transfer/transfer.ts'
import { releaseEntries } from '../../src/deploy/transfer/workspace/release-entries.ts'
import { pack } from '../../src/package/pack/pack.ts'
import { unpack } from '../../src/package/unpack/unpack.ts'
import { fuzz, type Random } from '../support/fuzz.ts'
import { plant, survey, type Tree, temporary } from '../unit/package/trees.ts'

const hasRsync = spawnSync('rsync', ['--version']).status === 0

interface Config {
  ignores: string[]
  deploy: { remoteCopy?: { copyAsDir?: boolean; rsync?: string } }
}

/** What shipit-deploy makes of the current release and the workspace; undefined when rsync fails. */
function theirs(current: string, workspace: string, { ignores, deploy }: Config): string[] | undefined {
  const release = join(temporary(), 'release')
  mkdirSync(release, { mode: 0o755 })
  execFileSync('cp', ['-a', `${current}/.`, release])
  const { copyAsDir, rsync } = deploy.remoteCopy ?? { rsync: '--del' }
  const command = formatRsyncCommand({
    src: copyAsDir ? workspace : `${workspace}/`,
    dest: `${release}/`,
    excludes: ignores,
    additionalArgs: rsync ? [rsync] : [],
  })
  return spawnSync('sh', ['-c', command]).status === 0 ? look(release) : undefined
}

async function ours(current: string, workspace: string, config: Config): Promise<string[]> {
  const directory = temporary()
  const { copy } = readCopyOptions(config)
  const { root, entries } = releaseEntries(workspace, copy, [])
  const file = join(directory, 'package')
  await pack({ root, entries, output: file, compression: 'none', pieceLength: 16384 })
  const context = { settings: { ignore: [] }, shipit: { config: { ...config, deployTo: '/srv' } } }
  const order = carryOrder(context as unknown as Context, '20260101000000', extentOf(entries))
  const { signal } = new AbortController()
  const carry = order && { carry: carryFrom({ ...order, from: current }, signal) }
  const into = join(directory, 'release')
  await unpack({ file, compression: 'none', into, signal, ...carry })
  return look(into)
}

/** The times of directories are left out: rsync changes those from which it deletes. */
const look = (root: string) =>
  survey(root)
    .slice(1)
    .map((line) => line.replace(/ \d+ directory$/, ' directory'))

const names = ['a', 'b', 'c.log', 'keep', 'é x']
const pick = <T>(from: readonly T[], next: Random): T => from[next(from.length)] as T

/** Nothing is below a file or a link. */
function randomTree(next: Random, at: string): Tree {
  const tree: Tree = {}
  const fill = (under: string, depth: number) => {
    for (const name of names) {
      const path = `${under}${name}`
      const kind = next(depth > 2 ? 5 : 9)
      if (kind === 2) tree[path] = { link: pick(names, next), at }
      else if (kind === 3 || kind === 4)
        tree[path] = { content: `${at} ${next(1000)}`, at, mode: pick([0o644, 0o600, 0o755], next) }
      else if (kind > 4) {
        tree[`${path}/`] = { at, mode: pick([0o755, 0o750], next) }
        fill(`${path}/`, depth + 1)
      }
    }
  }
  fill('', 0)
  return tree
}

const patterns = ['/a', 'a/b', '*.log', 'keep/', 'keep/***', 'b', '/b/*', '+ /a/b', 'a/**/b', 'é x', '/c.log']
const copies: Config['deploy'][] = [
  {},
  {},
  { remoteCopy: {} },
  { remoteCopy: { rsync: '--delete-excluded' } },
  { remoteCopy: { rsync: '--delete --exclude=/a' } },
  { remoteCopy: { copyAsDir: true, rsync: '--del' } },
  { remoteCopy: { copyAsDir: true, rsync: '--delete-excluded' } },
]

describe.skipIf(!hasRsync)('a new release beside that of shipit-deploy', () => {
  it('has the same of the current one, whatever the trees and patterns', async () => {
    let compared = 0
    await fuzz(14, async (next) => {
      const root = temporary()
      const workspace = plant(join(root, 'w'), { ...randomTree(next, '1700000000'), always: '' })
      // With copyAsDir the workspace's name is a directory in the release.
      const nested = Object.entries(randomTree(next, '1600000000')).map(([path, what]) => [`w/${path}`, what])
      const earlier = { ...randomTree(next, '1600000000'), ...Object.fromEntries(nested) }
      const current = plant(join(root, 'current'), earlier)
      const ignores = Array.from({ length: next(4) }, () => pick(patterns, next))
      const config = { ignores, deploy: pick(copies, next) }
      const expected = theirs(current, workspace, config)
      const made = await ours(current, workspace, config)
      if (!expected) return // rsync failed, as where a file is to replace what it must not delete.
      compared++
      expect(made, JSON.stringify(config)).toEqual(expected)
    })
    expect(compared).toBeGreaterThan(5)
  })
})
