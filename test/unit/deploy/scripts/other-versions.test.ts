import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rollbackTargets } from '../../../../src/deploy/releases/history.ts'
import { type LockOwner, parseLock, takeLockScript } from '../../../../src/deploy/scripts/lock-script.ts'
import { halfMadeScript } from '../../../../src/deploy/scripts/releases/clean-script.ts'
import { noteScript } from '../../../../src/deploy/scripts/releases/history-script.ts'
import {
  parseServerReleases,
  releasesScript,
} from '../../../../src/deploy/scripts/releases/releases-script.ts'
import { parseOrder } from '../../../../src/protocol/parse-order.ts'
import { ownIdentity } from '../../../../src/system/process-identity.ts'

/** What other versions leave on servers or send there. Version 0.1.0 has written these files. */
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'versions-'))
  for (const directory of ['releases', 'tmp']) mkdirSync(join(root, directory))
})
afterEach(() => rmSync(root, { recursive: true }))

const sh = (script: string) => execFileSync('sh', ['-c', script], { encoding: 'utf8' })
const AUTHOR = { who: 'ann@desk', when: '2026-01-02T03:04:05.678Z' }
const DEPLOY = `{"id":"1-a","kind":"deploy","who":"bob@old","what":"deploy of test","when":"2026-01-01T00:00:00.000Z","process":""}`
const BY_HAND = `{"id":"1-a","kind":"manual","who":"bob@old","what":"no reason given","when":"2026-01-01T00:00:00.000Z","process":""}`

describe('a lock', () => {
  const owner: LockOwner = {
    ...{ id: '2-b', who: 'ann@desk', what: 'a migration', when: AUTHOR.when, process: '' },
    kind: 'manual',
  }
  const take = () => parseLock(sh(takeLockScript(root, owner)))
  const { pid, start } = ownIdentity()

  test.each([
    ['of a deploy that runs', ['1-a', 'deploy', DEPLOY, '1767225600', `${pid} ${start}`], 'deploy'],
    ['by hand', ['1-a', 'manual', BY_HAND, '1767225600', '4000000 5'], 'manual'],
  ])('%s is respected, and its owner named', (_, lines, kind) => {
    writeFileSync(join(root, 'lock'), `${lines.join('\n')}\n`)
    expect(take()).toMatchObject({ who: 'bob@old', kind, id: '1-a' })
  })

  test('of a deploy that has ended is taken over', () => {
    writeFileSync(join(root, 'lock'), `1-a\ndeploy\n${DEPLOY}\n1767225600\n4000000 5\n`)
    expect(take()).toBe('taken')
  })

  test('of this version has the lines that others read', () => {
    take()
    const [id, kind, about = '', since, holder, ...more] = readFileSync(join(root, 'lock'), 'utf8').split(
      '\n',
    )
    expect({ id, kind, about: JSON.parse(about), more }).toEqual({
      ...{ id: '2-b', kind: 'manual', about: owner, more: [''] },
    })
    expect([since, holder].join(' ')).toMatch(/^\d+ \d+ \d+$/)
  })
})

test('releases of a version without a history can be gone back to, and so can what it makes later and is live', () => {
  const [first, second, third] = ['20260101000000', '20260102000000', '20260103000000'] as const
  for (const name of [first, second]) mkdirSync(join(root, 'releases', name))
  const publish = (name: string) => sh(`ln -sfn releases/${name} '${root}/current'`)
  const look = () => parseServerReleases(sh(releasesScript(root)))
  publish(second)
  expect(rollbackTargets(look())).toEqual([first])

  sh(noteScript(root, AUTHOR, 'live', second))
  mkdirSync(join(root, 'releases', third))
  publish(third)
  expect(rollbackTargets(look())).toEqual([second, first])
})

test('lines of a history that a later version has written are left as they are', () => {
  const later = `${AUTHOR.when}\tfrozen\tv9\tbob@new\n`
  writeFileSync(join(root, '.murder-history'), later)
  sh(noteScript(root, AUTHOR, 'brought', 'v1'))
  const text = readFileSync(join(root, '.murder-history'), 'utf8')
  expect(text).toBe(`${later}${AUTHOR.when}\tbrought\tv1\tann@desk\n`)
})

test('a peer that runs is left, and one that has ended goes', () => {
  const { pid, start } = ownIdentity()
  const put = (tag: string, process: object) => {
    mkdirSync(join(root, 'tmp', tag, `peer-${tag}`), { recursive: true })
    const state = {
      role: 'peer',
      tag,
      ...process,
      started: 1767225600000,
      infoHash: '00',
      path: '/',
      port: 6881,
    }
    writeFileSync(join(root, 'tmp', tag, `peer-${tag}/state.json`), JSON.stringify(state))
  }
  put('runs', { pid, start })
  put('ended', { pid: 4000000, start: '5' })
  sh(halfMadeScript({ remotePath: root, temporaryPath: join(root, 'tmp'), releases: join(root, 'releases') }))
  expect(['runs', 'ended'].map((tag) => existsSync(join(root, 'tmp', tag)))).toEqual([true, false])
})

const ORDER = `{"tag":"20260102030405","torrent":"ZA==","sha256":"${'ab'.repeat(32)}","directory":"/srv/app/shared/murder/tmp/20260102030405",
"trackers":["http://10.0.0.1:8998/{secret}/announce"],"peers":["10.0.0.1:40001"],"ports":[6881,6999],"fleet":3,"linger":30,"uploadLimit":0,
"downloadLimit":0,"timeouts":{"connect":10,"stall":60,"total":0},"secret":"00ff",
"unpack":{"into":"/srv/app/releases/20260102030405","compression":"gzip","bytes":10}}`

test('an order of another version is taken: what it lacks has a default, and what nobody knows is no error', () => {
  expect(parseOrder(ORDER)).toEqual(JSON.parse(ORDER))
  expect(parseOrder(ORDER.replace('{"tag"', '{"sites":[],"tag"'))).toMatchObject({ tag: '20260102030405' })
})
