import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ShipitConfig } from '../../src/shipit.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'

/** What a shipitfile that says nothing of the workspace has. */
const cloning: ShipitConfig = { workspace: '', shallowClone: true, keepWorkspace: false, branch: 'main' }

/** A server that takes no release: its releases are a file. */
const broken = (it: Embedded) => {
  mkdirSync(it.app(0), { recursive: true })
  writeFileSync(join(it.app(0), 'releases'), '')
}

interface End {
  task?: string
  env?: Record<string, string>
  prepare?: typeof broken
  /** When to send Ctrl-C. */
  interruptAt?: RegExp
  code: number
}

/** How a run ends. The task `wait` is another plugin's, which Ctrl-C ends at once. */
const ends: Record<string, End> = {
  'on success': { code: 0 },
  'on failure': { prepare: broken, code: 1 },
  'when another task fails': { task: 'deploy:init deploy:fetch fail', code: 1 },
  'in a dry run': { env: { MURDER_DRY_RUN: '1' }, code: 0 },
  'in a dry run that fails': { env: { MURDER_DRY_RUN: '1' }, prepare: broken, code: 1 },
  'after Ctrl-C': { task: 'deploy:init deploy:fetch wait', interruptAt: /^waits$/m, code: 130 },
  'after Ctrl-C in a transfer': {
    env: { MURDER_DOWNLOAD_LIMIT: '200K' },
    interruptAt: /^transfer [1-9]/m,
    code: 130,
  },
}

const tasks =
  'shipit.blTask("fail", () => { throw new Error("failed") });' +
  'shipit.blTask("wait", () => new Promise(() => setInterval(() => console.log("waits"), 100)))'

async function run(it: Embedded, { task, env, prepare, interruptAt, code }: End): Promise<void> {
  prepare?.(it)
  const running = it.project.start(task, env)
  if (interruptAt) {
    await running.said(interruptAt)
    running.signal('SIGINT')
  }
  expect(await running.ended).toMatchObject({ code })
}

/** A project that is a repository of its own, whose shipitfile clones it. */
async function project(code: { before?: string; after?: string } = {}, config: ShipitConfig = {}) {
  const it = await embedded(1)
  const { directory } = it.project
  mkdirSync(join(directory, 'sub'))
  writeFileSync(join(directory, 'sub/file'), randomBytes(1_000_000))
  writeFileSync(join(it.project.workspace, 'file'), 'content')
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory })
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first')
  symlinkSync(directory, join(it.project.root, 'link'))
  const after = `${tasks}; ${code.after ?? ''}`
  it.configure({ ...cloning, repositoryUrl: directory, ...config }, { ...code, after })
  return it
}

/** What must be there after every run; and nothing temporary is. */
function expectOnlyTheCloneGone({ project }: Embedded): void {
  for (const name of ['project/sub/file', 'project/.git/HEAD', 'workspace/file', 'link'])
    expect(existsSync(join(project.root, name)), name).toBe(true)
  expect(project.leftovers()).toEqual([])
}

const ownFetch = (path: string) =>
  `shipit.blTask("deploy:fetch", () => { shipit.workspace = ${path}; shipit.emit("fetched") })`
const listener = (path: string) => `shipit.on("fetched", () => { shipit.workspace = ${path} })`

describe.each(Object.entries(ends))('%s', (_, end) => {
  test('the temporary clone goes', async () => {
    const it = await project()
    await run(it, end)
    expectOnlyTheCloneGone(it)
  })

  test.each([
    ['deploy:fetch', { before: ownFetch('process.cwd()') }],
    ['listener of "fetched"', { after: listener('process.cwd()') }],
  ])('the current directory stays, which a shipitfile’s own %s names', async (_, code) => {
    const it = await project(code)
    await run(it, end)
    expectOnlyTheCloneGone(it)
  })
})

describe('stays, whatever names it as the workspace:', () => {
  test.each([
    ['the parent of the current directory', '(process.chdir("sub"), "..")'],
    ['a part of it', '"sub"'],
    ['a link to it', '"../link"'],
    ['a configured path in another spelling', 'process.cwd() + "/../workspace/."'],
  ])('%s', async (_, path) => {
    for (const code of [{ before: ownFetch(path) }, { after: listener(path) }]) {
      const it = await project(code)
      await run(it, { code: 0 })
      expectOnlyTheCloneGone(it)
    }
  })
})

test('a clone goes that a later deploy:fetch of the shipitfile has left to shipit-deploy’s', async () => {
  const original = 'const original = shipit.tasks["deploy:fetch"].fn'
  const after =
    'shipit.blTask("deploy:fetch", async () => { await original(); shipit.workspace = process.cwd() })'
  const it = await project({ before: original, after })
  await run(it, { code: 0 })
  expectOnlyTheCloneGone(it)
})

test('a clone stays with keepWorkspace', async () => {
  const it = await project({}, { keepWorkspace: true })
  await run(it, { code: 0 })
  expect(it.project.leftovers()).toEqual([expect.stringMatching(/^tmp-/)])
})
