import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { classify, releasesToClean, rollbackTargets } from '../../../../../src/deploy/releases/history.ts'
import { writeReleaseScript } from '../../../../../src/deploy/scripts/releases/copy-script.ts'
import { noteReceivingScript, noteScript } from '../../../../../src/deploy/scripts/releases/history-script.ts'
import { publishScript, revertScript } from '../../../../../src/deploy/scripts/releases/publish-script.ts'
import {
  parseServerReleases,
  releasesScript,
} from '../../../../../src/deploy/scripts/releases/releases-script.ts'
import { undoScript } from '../../../../../src/deploy/scripts/releases/undo-script.ts'

const [A, B, C, D] = ['20260101000000', '20260102000000', '20260103000000', '20260104000000'] as const
const author = { who: "o'ann@desk", when: '2026-01-02T03:04:05.678Z' }

describe.each([
  ['dash', ['dash']],
  ['busybox', ['busybox', 'sh']],
])('with %s', (_, [shell = '', ...words]) => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "it's "))
    mkdirSync(join(root, 'releases'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const sh = (script: string) =>
    execFileSync(shell, [...words, '-c', script], { encoding: 'utf8', stdio: 'pipe' })
  const make = (...names: string[]) => {
    for (const name of names) mkdirSync(join(root, 'releases', name))
  }
  const file = () => join(root, '.murder-history')
  const noted = () =>
    readFileSync(file(), 'utf8')
      .split('\n')
      .map((line) => line.split('\t').slice(1, 3).join(' '))
      .filter(Boolean)
  const found = () => parseServerReleases(sh(releasesScript(root)))
  const states = () => Object.fromEntries(classify(found()).map(({ name, state }) => [name, state]))

  const receive = (release: string) => {
    sh(noteReceivingScript(root, author, release))
    make(release)
  }
  const publish = (release: string, isRollback = false) =>
    sh(publishScript(root, { release, isRollback }, author))
  const deploy = (release: string) => {
    receive(release)
    publish(release)
  }
  const rollback = () => {
    const [before = 'none'] = rollbackTargets(found())
    publish(before, true)
    return before
  }

  test('a broken release is not gone back to after the next deploy', () => {
    deploy(A)
    deploy(B)
    expect(rollback()).toBe(A)
    deploy(C)
    expect(rollback()).toBe(A)
    expect(states()).toEqual({ [A]: 'live', [B]: 'rolled-back-from', [C]: 'rolled-back-from' })
    expect(rollbackTargets(found())).toEqual([])
    expect(rollbackTargets(found(), { any: true })).toEqual([C, B])
    expect(found().history[0]).toEqual({ ...author, event: 'receiving', release: A })
  })

  test('own tags that were brought and never published are neither gone back to, nor do they push others out', () => {
    for (const each of [A, B, C]) deploy(each)
    for (const tag of ['v1.0', 'v1.1', 'v1.2']) {
      sh(noteScript(root, author, 'brought', tag))
      make(tag)
    }
    deploy(D)
    expect(rollbackTargets(found())).toEqual([C, B, A])
    expect(releasesToClean(found(), 2, { withLeftovers: true })).toEqual([A, B])
    publish('v1.2')
    publish('v1.1')
    expect(rollbackTargets(found())).toEqual(['v1.2', D, C, B, A])
    expect(releasesToClean(found(), 2)).toEqual([A, B, C, D])
  })

  test('what a killed deploy has left is no release to go back to, and is removed by who has the lock', () => {
    deploy(A)
    deploy(B)
    receive(C)
    expect(rollbackTargets(found())).toEqual([A])
    expect(releasesToClean(found(), 5)).toEqual([])
    expect(releasesToClean(found(), 5, { withLeftovers: true })).toEqual([C])
    expect(releasesToClean(found(), 5, { withLeftovers: true, own: C })).toEqual([])
  })

  test('a publication that is taken back leaves everything as it was', () => {
    for (const each of [A, B]) deploy(each)
    sh(noteScript(root, author, 'brought', 'v1'))
    make('v1')
    const before = states()
    publish('v1')
    sh(revertScript(root, { release: 'v1', isNew: false }, `releases/${B}`, author))
    expect(states()).toEqual(before)
    receive(C)
    publish(C)
    sh(revertScript(root, { release: C, isNew: true }, `releases/${B}/`, author))
    expect(states()).toEqual(before)
    publish(A, true)
    sh(revertScript(root, { release: A, isNew: false }, `releases/${B}`, author))
    expect(states()).toEqual(before)
    expect(rollbackTargets(found())).toEqual([A])
  })

  test('a transfer that is undone is noted as failed, but not where the release is complete', () => {
    receive(A)
    const undo = { directory: join(root, 'tmp'), deployTo: root, tag: A, author }
    sh(undoScript({ ...undo, withRelease: false }))
    expect(noted()).toEqual([`receiving ${A}`])
    sh(undoScript({ ...undo, withRelease: true }))
    expect(noted()).toEqual([`receiving ${A}`, `failed ${A}`])
  })

  test('a copied release was not live on this server', () => {
    make(A)
    execFileSync(shell, [...words, '-c', writeReleaseScript(root, B, author)], {
      input: execFileSync('tar', ['cf', '-', '-C', root, 'releases']),
    })
    expect(states()).toEqual({ [A]: 'was-live', [B]: 'receiving' })
  })

  test('on the day of the upgrade all is as by name, and it is written down', () => {
    make(A, B, C, D, 'initial', 'x.bak', 'lost+found', 'a\nb')
    symlinkSync(`releases/${C}`, join(root, 'current'))
    symlinkSync(A, join(root, 'releases/20260109000000'))
    writeFileSync(join(root, 'releases/20260110000000'), '')
    const upgraded = { [A]: 'was-live', [B]: 'was-live', [C]: 'live', [D]: 'found' }
    const foreign = { initial: 'foreign', 'x.bak': 'foreign', 'lost+found': 'foreign' }
    expect(states()).toEqual({ ...upgraded, ...foreign })
    expect(rollbackTargets(found())).toEqual([B, A])
    expect(releasesToClean(found(), 1)).toEqual([A, B])
    expect(readdirSync(root).sort()).toEqual(['current', 'releases'])
    sh(noteReceivingScript(root, author, '20260105000000'))
    expect(noted()).toEqual([
      `was-live ${A}`,
      `was-live ${B}`,
      `was-live ${C}`,
      `found ${D}`,
      'receiving 20260105000000',
    ])
    expect(states()).toEqual({ ...upgraded, ...foreign })
    expect(rollbackTargets(found())).toEqual([B, A])
    expect(releasesToClean(found(), 1)).toEqual([A, B])
  })

  test('a release that shipit-deploy alone has made since is found, and was live when it is left', () => {
    deploy(A)
    make(B, C)
    symlinkSync(`releases/${C}`, join(root, 'new'))
    execFileSync('mv', ['-fT', join(root, 'new'), join(root, 'current')])
    expect(states()).toEqual({ [A]: 'was-live', [B]: 'found', [C]: 'live' })
    deploy(D)
    expect(states()).toEqual({ [A]: 'was-live', [B]: 'found', [C]: 'was-live', [D]: 'live' })
    expect(rollbackTargets(found())).toEqual([C, A])
  })

  test('a line that a power failure has cut spoils no other', () => {
    deploy(A)
    writeFileSync(file(), '2026-01-02T03:04:05Z\tlive\t2026', { flag: 'a' })
    deploy(B)
    expect(states()).toEqual({ [A]: 'was-live', [B]: 'live' })
  })

  test('a history that cannot be written keeps the release from being published', () => {
    make(A)
    mkdirSync(file())
    expect(() => publish(A)).toThrow('.murder-history cannot be written')
    expect(readdirSync(root).sort()).toEqual(['.murder-history', 'releases'])
  })

  test('a long history is compacted, and says the same of what is there', () => {
    for (const each of [A, B, C]) deploy(each)
    publish(B, true)
    const before = states()
    for (let n = 0; n < 1200; n++)
      writeFileSync(file(), `${author.when}\tfailed\t${30000000000000 + n}\tann\n`, { flag: 'a' })
    sh(noteReceivingScript(root, author, D))
    expect(noted().length).toBeLessThan(520)
    expect(states()).toEqual(before)
    expect(rollbackTargets(found())).toEqual([A])
    expect(readdirSync(root).sort()).toEqual(['.murder-history', 'current', 'releases'])
  })
})
