import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { revisionOf } from '../../../../../src/deploy/transfer/workspace/revision.ts'

let root: string
const commits: Record<string, string> = {}

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=me', '-c', 'user.email=me@example.com', '-c', 'init.defaultBranch=main']
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' }).trim()
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'revision-'))
  for (const name of ['ours', 'other']) {
    git(root, 'init', '-q', name)
    git(join(root, name), 'commit', '-q', '--allow-empty', '-m', name)
    git(join(root, name), 'tag', '-a', 'v1', '-m', 'one')
    git(join(root, name), 'tag', 'light')
    commits[name] = git(join(root, name), 'rev-parse', 'HEAD')
  }
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

const ours = () => join(root, 'ours')

test.each(['main', 'HEAD', 'v1', 'light', ':/ours'])('%s is its commit', async (branch) => {
  expect(await revisionOf({ workspace: ours(), config: { branch } })).toBe(commits.ours)
})

test('without a branch it is what is checked out', async () => {
  expect(await revisionOf({ workspace: ours(), config: {} })).toBe(commits.ours)
})

test.each(['nothing', '--all', 'main^{tree}'])('%s is no commit', async (branch) => {
  expect(await revisionOf({ workspace: ours(), config: { branch } })).toBeUndefined()
})

test('it is the workspace’s, and not that of another repository to copy from', async () => {
  const rsyncFrom = join(root, 'other')
  expect(await revisionOf({ workspace: ours(), config: { rsyncFrom } })).toBe(commits.ours)
  expect(await revisionOf({ config: { rsyncFrom, workspace: ours() } })).toBe(commits.ours)
  expect(await revisionOf({ config: { rsyncFrom } })).toBe(commits.other)
  expect(await revisionOf({ workspace: root, config: {} })).toBeUndefined()
})
