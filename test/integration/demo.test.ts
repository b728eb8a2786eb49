import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareTrees } from '../../bench/deploy/compare-trees.ts'
import { root } from '../support/harness/packed-project.ts'
import { startedWith } from '../support/processes.ts'

let directory: string
let demo: ChildProcess | undefined

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'demo-test-')))
  mkdirSync(join(directory, 'home'))
})

afterEach(() => {
  demo?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

interface Ended {
  code: number | null
  output: string
}

/** A small demo in an empty home. `onLine` sees every line of its output as it comes. */
async function run(
  args: string[],
  { env = {}, onLine = () => {} }: { env?: NodeJS.ProcessEnv; onLine?: (line: string) => void } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['scripts/demo.mjs', '--files', '120', '--size', '3', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: join(directory, 'home'),
      TMPDIR: directory,
      NO_COLOR: '1',
      ...env,
    },
  })
  demo = child
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      onLine(line)
    })
  }
  const [code] = await once(child, 'close')
  return { code, output: lines.join('\n') }
}

/** Everything that the demo has started has this test's directory in its environment. */
const left = () => startedWith(directory)

test('two deploys and a rollback: every server has the commits, exactly', async () => {
  const data = join(directory, 'data')
  const { code, output } = await run(['--servers', '3', '--directory', data])
  expect(output).not.toContain('failed')
  expect(output).not.toContain('Had to end')
  expect(code).toBe(0)
  expect(left()).toEqual([])

  const git = (...args: string[]) =>
    execFileSync('git', ['-C', join(data, 'app'), ...args], { encoding: 'utf8' }).trim()
  const commits = git('rev-list', '--reverse', 'HEAD').split('\n')
  expect(commits).toHaveLength(2)
  const trees = commits.map((commit) => {
    const tree = join(directory, commit)
    git('worktree', 'add', '-q', '--detach', tree, commit)
    return tree
  })
  for (const server of ['server-1', 'server-2', 'server-3']) {
    const app = join(data, 'fleet', server, 'production')
    const releases = readdirSync(join(app, 'releases')).sort()
    expect(releases).toHaveLength(2)
    for (const [index, tree] of trees.entries()) {
      const release = join(app, 'releases', releases[index] ?? '')
      const differences = await compareTrees(tree, release, { ignore: ['.git', 'REVISION'], mtimes: false })
      expect(differences).toEqual([])
    }
    // Rolled back.
    expect(readlinkSync(join(app, 'current'))).toBe(`releases/${releases[0]}`)
  }
  // What the newcomer reads: three tables, one row a server.
  for (const [commit, times] of [
    [commits[0], 6],
    [commits[1], 3],
  ] as const) {
    expect(output.match(new RegExp(`releases/\\d{14}  ${commit?.slice(0, 7)} `, 'g'))).toHaveLength(times)
  }
})

test.each([
  ['while it fetches', /^\$ npx shipit production deploy/],
  ['while it transfers', /^transfer/],
])('interrupted %s it stops everything and ends with 130', async (_, moment) => {
  let interrupted = false
  const { code, output } = await run(['--servers', '2'], {
    onLine(line) {
      if (interrupted || !moment.test(line)) return
      interrupted = true
      demo?.kill('SIGINT')
    },
  })
  expect(interrupted).toBe(true)
  expect(output).toContain('Interrupted: stopping everything')
  // The deploy has ended its own.
  expect(output).not.toContain('Had to end')
  expect(code).toBe(130)
  expect(left()).toEqual([])
  expect(readdirSync(directory)).toEqual(['home'])
})

test('a deploy that fails ends it with one line and 1, and nothing is left', async () => {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  writeFileSync(
    join(bin, 'ssh'),
    '#!/bin/sh\necho "ssh: connect to host: Connection refused" >&2\nexit 255\n',
  )
  chmodSync(join(bin, 'ssh'), 0o755)
  const { code, output } = await run(['--servers', '2'], {
    env: { PATH: [bin, process.env.PATH].join(delimiter) },
  })
  expect(output.split('\n').at(-1)).toBe('The demo failed: shipit production deploy ended with exit code 1')
  expect(output).toContain('nothing listens on its SSH port')
  expect(output).not.toMatch(/^ {4}at /m)
  expect(code).toBe(1)
  expect(left()).toEqual([])
  expect(readdirSync(directory).sort()).toEqual(['bin', 'home'])
})

test('a wrong option is refused before anything is made', async () => {
  const { code, output } = await run(['--servers', 'many'])
  expect(output).toContain('--servers takes 1 to 100, not many')
  expect(code).toBe(2)
  expect(existsSync(join(directory, 'data'))).toBe(false)
})
