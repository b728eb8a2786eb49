import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { canGuardScript } from '../../../../src/deploy/scripts/guard/check-guard-script.ts'

test('a session that ends with its processes is told beforehand', () => {
  const root = mkdtempSync(join(tmpdir(), 'logind-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const ask = (cgroup: string, values: Record<string, string>, PATH = `${root}:${process.env.PATH}`) => {
    writeFileSync(join(root, 'cgroup'), cgroup)
    const cases = Object.entries(values).map(([name, value]) => `*${name}) echo '${value}' ;;`)
    writeFileSync(join(root, 'busctl'), `#!/bin/sh\ncase "$*" in ${cases.join('\n')} *) exit 1 ;; esac\n`, {
      mode: 0o755,
    })
    const { status, stderr } = spawnSync('/bin/sh', ['-c', canGuardScript(join(root, 'cgroup'))], {
      env: { PATH },
      encoding: 'utf8',
    })
    return [status, stderr.split(/[:;]/)[0]]
  }
  const session = '0::/user.slice/user-1000.slice/session-3.scope\n'
  const who = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()
  const kill = { KillUserProcesses: 'b true', KillExcludeUsers: 'as 1 "nobody-else"', KillOnlyUsers: 'as 0' }
  expect(ask(session, kill)).toEqual([1, 'a guard would end with its SSH session there'])
  expect(ask('0::/system.slice/ssh.service\n', kill)).toEqual([0, ''])
  expect(ask(session, { ...kill, KillUserProcesses: 'b false' })).toEqual([0, ''])
  expect(ask(session, { ...kill, KillExcludeUsers: `as 2 "bob" "${who}"` })).toEqual([0, ''])
  expect(ask(session, { ...kill, KillOnlyUsers: 'as 1 "bob"' })).toEqual([0, ''])
  expect(ask(session, { ...kill, KillOnlyUsers: `as 1 "${who}"` })[0]).toBe(1)
  expect(ask(session, {})).toEqual([0, ''])
  expect(ask(session, kill, root)).toEqual([1, 'no guard can be started there'])
})
