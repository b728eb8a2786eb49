import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { halfMadeScript } from '../../../../../src/deploy/scripts/releases/clean-script.ts'
import { ownIdentity } from '../../../../../src/system/process-identity.ts'

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
