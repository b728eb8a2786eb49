import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  claimRun,
  isAlive,
  listRuns,
  type NewRun,
  openPrivateDirectory,
  type Run,
  refuseForeign,
  runRoot,
  stateFile,
  writeState,
} from '../../../../src/agent/runs/run-directory.ts'
import { isRunning, ownIdentity, startOf, surroundings } from '../../../../src/system/process-identity.ts'

let root: string
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'murder-runs-')), 'runs')
})
afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }))

const peer: NewRun = { role: 'peer', tag: 'a', infoHash: 'ff', path: '/data' }

function claim(run = peer): Run {
  const result = claimRun(root, run)
  if (!('claimed' in result)) throw new Error('it is taken')
  return result.claimed
}

it('makes a folder that only this user can read', () => {
  const { folder } = claim()
  expect(statSync(root).mode & 0o777).toBe(0o700)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
})

it('gives a folder to one process only', () => {
  const first = claim()
  expect(claimRun(root, peer)).toEqual({ taken: first })
  expect(readdirSync(root)).toEqual(['peer-a'])
})

it('replaces the folder of a process that has ended', () => {
  const first = claim()
  writeState(first.folder, { ...first.state, start: 'of an earlier process with this pid' })
  writeFileSync(join(first.folder, 'old'), '')
  expect(isAlive(first)).toBe(true)
  const second = claim()
  expect(readdirSync(second.folder)).not.toContain('old')
})

describe('a directory that is shared with another container', () => {
  const plantForeign = (touchedS: number) => {
    const { folder, state } = claim({ role: 'tracker', tag: 'b' })
    writeState(folder, { ...state, around: 'boot pid:[1]' })
    const touched = Date.now() / 1000 - touchedS
    utimesSync(stateFile(folder), touched, touched)
  }

  it('is refused while something runs in that one, and nothing is touched', () => {
    plantForeign(2)
    expect(() => claim()).toThrow(/is shared with another container, in which the tracker b runs/)
    expect(() => refuseForeign(root, listRuns(root))).toThrow('cannot be managed from here')
    expect(readdirSync(root)).toEqual(['tracker-b'])
  })

  it('is taken when that one has ended', () => {
    plantForeign(60)
    expect(claim().state.tag).toBe('a')
    expect(claim({ role: 'tracker', tag: 'b' }).state.around).toBe(surroundings())
  })
})

it('replaces a folder without a state', () => {
  mkdirSync(join(root, 'peer-a', 'junk'), { recursive: true })
  expect(claim().state.tag).toBe('a')
})

it('sweeps up after launchers that were killed', () => {
  mkdirSync(join(root, '.new-99999999'), { recursive: true })
  claim()
  expect(readdirSync(root)).toEqual(['peer-a'])
})

it('lists runs, oldest first, and nothing else', () => {
  claim({ role: 'tracker', tag: 'b' })
  const first = claim()
  writeState(first.folder, { ...first.state, started: 1 })
  mkdirSync(join(root, 'peer-empty'))
  writeFileSync(join(root, 'note'), '')
  expect(listRuns(root).map(({ state }) => state.tag)).toEqual(['a', 'b'])
  expect(listRuns(join(root, 'missing'))).toEqual([])
})

it('refuses a directory that is a link', () => {
  expect(() => openPrivateDirectory('/proc/self/cwd')).toThrow('not a directory of this user')
})

it('closes a directory that was open to others', () => {
  mkdirSync(root, { mode: 0o755 })
  openPrivateDirectory(root)
  expect(statSync(root).mode & 0o777).toBe(0o700)
})

it('knows a process from a later one with its pid, and from its zombie', async () => {
  expect(isRunning(ownIdentity())).toBe(true)
  expect(isRunning({ pid: process.pid, start: '1' })).toBe(false)
  // A shell whose child has ended and that doesn't ask for it: the child stays as a zombie.
  const child = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [line] = await once(child.stdout, 'data')
  const zombie = Number(String(line))
  for (let look = 0; startOf(zombie) !== undefined && look < 500; look++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(() => process.kill(zombie, 0)).not.toThrow()
  expect(startOf(zombie)).toBeUndefined()
  child.kill('SIGKILL')
  await once(child, 'close')
})

it('gives each container a directory of its own', () => {
  const [outside, one, other] = [undefined, '4026532001', '4026532002'].map((name) =>
    runRoot(undefined, name),
  )
  expect(new Set([outside, one, other]).size).toBe(3)
  expect(runRoot('/run/mine', '4026532001')).toBe('/run/mine')
})
