import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from '../../../../../src/deploy/context/context.ts'
import { cleanReleases } from '../../../../../src/deploy/releases/clean-releases.ts'
import { rollOut } from '../../../../../src/deploy/rollout/rollout.ts'
import { NO_FENCE } from '../../../../../src/deploy/scripts/fence-script.ts'
import * as scripts from '../../../../../src/deploy/scripts/releases/publish-script.ts'
import { interrupted } from '../../../../../src/errors.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's "))
  for (const release of ['1', '2', '3', '4']) mkdirSync(join(root, 'releases', release), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const sh = (script: string) => execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: 'pipe' })
const author = { who: 'ann@desk', when: '2026-01-02T03:04:05.678Z' }
const publishScript = (deployTo: string, release: string) =>
  scripts.publishScript(deployTo, { release }, author)
const revertScript = (deployTo: string, publication: scripts.Publication, link: string | undefined) =>
  scripts.revertScript(deployTo, publication, link, author)
const current = () => readlinkSync(join(root, 'current'))
const releases = () => readdirSync(join(root, 'releases')).sort()

describe('publishing', () => {
  test('says what was there, and can be undone', () => {
    expect(sh(publishScript(root, '1'))).toBe('was=\n')
    expect(sh(publishScript(root, '2'))).toBe('was=releases/1\n')
    expect(current()).toBe('releases/2')
    sh(revertScript(root, { release: '2', isNew: false }, 'releases/1'))
    expect(current()).toBe('releases/1')
    sh(revertScript(root, { release: '1', isNew: true }, ''))
    expect(existsSync(join(root, 'current'))).toBe(false)
    expect(releases()).toEqual(['2', '3', '4'])
    expect(readdirSync(root).sort()).toEqual(['.murder-history', 'releases'])
  })

  test('undoing leaves alone what others have published since, and what is live', () => {
    sh(publishScript(root, '3'))
    sh(revertScript(root, { release: '2', isNew: false }, 'releases/1'))
    expect(current()).toBe('releases/3')
    sh(revertScript(root, { release: '3', isNew: true }, undefined))
    expect(releases()).toContain('3')
    sh(revertScript(root, { release: '3', isNew: true }, 'releases/3'))
    expect(current()).toBe('releases/3')
  })

  test('undoing leaves what others would go back to, and can run twice', () => {
    sh(publishScript(root, '1'))
    sh(publishScript(root, '2'))
    sh(publishScript(root, '3'))
    sh(revertScript(root, { release: '2', isNew: true }, 'releases/1'))
    expect(releases()).toEqual(['1', '2', '3', '4'])
    for (const _ of [1, 2]) {
      sh(revertScript(root, { release: '3', isNew: true }, 'releases/2'))
      expect(current()).toBe('releases/2')
      expect(releases()).toEqual(['1', '2', '4'])
    }
    sh(publishScript(root, '1'))
    expect(() => sh(revertScript(root, { release: '4', isNew: true }, undefined))).not.toThrow()
    expect(releases()).toEqual(['1', '2'])
  })

  test('refuses to replace a directory, and a release that is not there', () => {
    expect(() => sh(publishScript(root, '9'))).toThrow('releases/9 is not there')
    mkdirSync(join(root, 'current'))
    expect(() => sh(publishScript(root, '1'))).toThrow('is a directory, not a link')
    expect(readdirSync(join(root, 'current'))).toEqual([])
  })
})

describe.each(['', '.', '..', '../x', '1/', '/1', '.2.partial', '1/2'])(
  '%j is no name of a release',
  (release) => {
    test('neither a link nor what is removed comes of it', () => {
      sh(publishScript(root, '1'))
      const before = releases()
      expect(() => sh(publishScript(root, release))).toThrow('is no name of a release')
      for (const isNew of [true, false])
        for (const link of [undefined, '', 'releases/2'])
          expect(() => sh(revertScript(root, { release, isNew }, link))).toThrow('is no name of a release')
      expect(current()).toBe('releases/1')
      expect(releases()).toEqual(before)
      expect(readdirSync(root).sort()).toEqual(['.murder-history', 'current', 'releases'])
    })

    test('no server is asked to publish it', async () => {
      const context = { fleet: { run: () => expect.fail() }, settings: {}, shipit: {} } as unknown as Context
      await expect(rollOut(context, { release, isNew: false })).rejects.toMatchObject({
        code: 'NOTHING_TO_PUBLISH',
        exitCode: 2,
      })
    })
  },
)

test('Ctrl-C once everything is published does not say that nothing was', async () => {
  const context = {
    fleet: { run: async () => [] },
    lock: { isHeld: true, fence: () => NO_FENCE, publishes: () => {} },
    shipit: { config: { deployTo: '/srv/app' }, log: () => {} },
    signal: AbortSignal.abort(interrupted('nothing was published')),
  } as unknown as Context
  await expect(cleanReleases(context)).rejects.toMatchObject({
    exitCode: 130,
    cure: expect.stringContaining('the release is published'),
  })
})
