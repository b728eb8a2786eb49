import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { hasEnded, nameOwnProcess, startOf } from '../../../src/system/process-identity.ts'

const own = nameOwnProcess() ?? ''
const [pid = '', start = '', ...around] = own.split(' ')

test.runIf(process.platform === 'linux')(
  'this process runs; one that is gone, or was given its number, has ended',
  () => {
    expect(pid).toBe(String(process.pid))
    expect(start).toBe(startOf(process.pid))
    expect(hasEnded(own)).toBe(false)
    expect(hasEnded([pid, '1', ...around].join(' '))).toBe(true)
    const { pid: gone } = spawnSync('true')
    expect(hasEnded([gone, start, ...around].join(' '))).toBe(true)
  },
)

test('of processes elsewhere nothing is known', () => {
  expect(hasEnded([pid, '1', 'another-boot', ...around.slice(1)].join(' '))).toBe(false)
  expect(hasEnded([pid, '1', around[0], 'pid:[1]'].join(' '))).toBe(false)
  expect(hasEnded('')).toBe(false)
  expect(hasEnded(undefined)).toBe(false)
})
