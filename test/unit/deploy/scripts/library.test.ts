import { expect, test } from 'vitest'
import { factsScript } from '../../../../src/deploy/scripts/facts-script.ts'
import { fenceScript } from '../../../../src/deploy/scripts/fence-script.ts'
import { supersedeScript } from '../../../../src/deploy/scripts/guard/guard-orders.ts'
import { libraryAt } from '../../../../src/deploy/scripts/library.ts'
import { holdLockScript, removeLockScript } from '../../../../src/deploy/scripts/lock-script.ts'
import { halfMadeScript } from '../../../../src/deploy/scripts/releases/clean-script.ts'
import { noteReceivingScript } from '../../../../src/deploy/scripts/releases/history-script.ts'
import { publishScript } from '../../../../src/deploy/scripts/releases/publish-script.ts'
import { releasesScript } from '../../../../src/deploy/scripts/releases/releases-script.ts'
import { removeReleasesScript } from '../../../../src/deploy/scripts/releases/remove-releases-script.ts'

const deployTo = '/srv/app'
const remotePath = '/srv/app/shared/murder'
const temporaryPath = '/srv/app/shared/murder/tmp'
const releases = '/srv/app/releases'
const release = '20260102030405'
const author = { who: 'me@here', when: '2026-01-02T03:04:05.000Z' }
const owner = {
  ...{ id: '1767322800000-0123456789ab', ...author, what: 'deploy of production' },
  ...{ kind: 'deploy' as const, process: '4711 123456 01234567-89ab-cdef-0123-456789abcdef' },
}
const known = { deployTo, links: [`releases/${release}`] }

test('the scripts of a deploy travel without the lines that all servers have', () => {
  const agent = `${remotePath}/murder-0123456789abcdef.mjs`
  const content = { bytes: 400_000, sha256: 'a'.repeat(64) }
  const facts = factsScript({ deployTo, remotePath, temporaryPath, agent, node: undefined, content })
  const after = halfMadeScript({ remotePath, temporaryPath, releases })
  const check = `${facts}\n${holdLockScript(remotePath, owner, { known: { deployTo, links: [] }, after })}`
  const { library } = libraryAt(remotePath)
  const then = [
    noteReceivingScript(deployTo, author, release),
    publishScript(deployTo, { release }, author, fenceScript(remotePath, owner, known), {
      arm: supersedeScript(remotePath),
    }),
    releasesScript(deployTo),
    removeReleasesScript(deployTo, [release]),
    removeLockScript(remotePath, owner),
  ]
  const shell = library.after(check)
  expect(check.length + then.join('').length).toBeGreaterThan(24_000)
  expect(library.name(check).length).toBeLessThan(1400)
  expect(then.map((script) => shell.name(script)).join('').length).toBeLessThan(1500)
})

test('servers share one library, whose file is named by its content', () => {
  const [one, other] = [libraryAt('/one'), libraryAt('/other')]
  expect(one.library).toBe(other.library)
  expect(one.path).toBe(`/one/murder-${one.library.sha256.slice(0, 16)}.sh`)
  expect(one.library.text.length).toBeLessThan(24_000)
})
