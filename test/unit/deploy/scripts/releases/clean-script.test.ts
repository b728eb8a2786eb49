import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { cleanScript, halfMadeScript } from '../../../../../src/deploy/scripts/releases/clean-script.ts'
import { ownIdentity } from '../../../../../src/system/process-identity.ts'
import { canBeNobody, NOBODY } from '../../../../support/as-nobody.ts'

test('a deploy removes the directories of transfers that were killed, and no others', () => {
  const remotePath = mkdtempSync(join(tmpdir(), "it's "))
  onTestFinished(() => rmSync(remotePath, { recursive: true }))
  const temporaryPath = join(remotePath, 'tmp')
  const put = (path: string, content = '') => {
    mkdirSync(dirname(join(temporaryPath, path)), { recursive: true })
    writeFileSync(join(temporaryPath, path), content)
  }
  const { pid, start } = ownIdentity()
  const [gone, other] = ['999999999', '1']
  put('killed/receive-999999999', other)
  put('killed/package', 'half')
  put('killed/peer-killed/state.json', `{"pid":${gone},"start":"${other}"}`)
  put('seeder only/seeder/permits.json')
  put('only unpacked/unpacked.json')
  put('with more/receive-999999999')
  put('with more/of somebody')
  put(`unpacks/receive-${pid}`, start)
  put('shares/peer-shares/state.json', `{"pid":${pid},"start":"${start}"}`)
  put('shares/package')
  put('of somebody/file')

  const script = halfMadeScript({ remotePath, temporaryPath, releases: join(remotePath, 'none') })
  execFileSync('sh', ['-c', script])
  expect(readdirSync(temporaryPath).sort()).toEqual(['of somebody', 'shares', 'unpacks', 'with more'])
  expect(readdirSync(join(temporaryPath, 'with more'))).toEqual(['of somebody'])
  expect(readdirSync(join(temporaryPath, 'shares')).sort()).toEqual(['package', 'peer-shares'])
})

test.skipIf(!canBeNobody)('what a deploy of another user has left stays, and is named with its owner', () => {
  const remotePath = mkdtempSync(join(tmpdir(), 'of-others-'))
  onTestFinished(() => rmSync(remotePath, { recursive: true }))
  const [temporaryPath, releases] = [join(remotePath, 'tmp'), join(remotePath, 'releases')]
  const left = [join(temporaryPath, 'killed'), join(releases, '.killed.partial')]
  for (const path of [remotePath, temporaryPath, releases]) {
    mkdirSync(path, { recursive: true })
    chmodSync(path, 0o755)
  }
  for (const path of [temporaryPath, releases]) chownSync(path, NOBODY, NOBODY)
  for (const path of left) mkdirSync(path, { mode: 0o700 })
  for (const path of left) writeFileSync(join(path, 'package'), '')
  const script = halfMadeScript({ remotePath, temporaryPath, releases })
  const said = execFileSync('sh', ['-c', script], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  expect(said).toBe(left.map((path) => `stuck ${path}: something in it belongs to root\n`).join(''))
})

test('agents and scripts of other versions go, and nothing else beside them', () => {
  const remotePath = mkdtempSync(join(tmpdir(), 'versions-'))
  onTestFinished(() => rmSync(remotePath, { recursive: true }))
  const [agent, library] = ['murder-0123456789abcdef.mjs', 'murder-fedcba9876543210.sh']
  const others = [
    'murder-0000000000000000.mjs',
    'murder-0000000000000000.sh',
    'murder-of-somebody-.sh',
    'lock',
  ]
  for (const name of [agent, library, ...others]) writeFileSync(join(remotePath, name), '')
  const places = { remotePath, temporaryPath: join(remotePath, 'tmp'), releases: join(remotePath, 'none') }
  execFileSync('sh', ['-c', cleanScript({ ...places, agent, library })])
  expect(readdirSync(remotePath).sort()).toEqual(['lock', agent, library, 'murder-of-somebody-.sh'])
})
