import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import type { Settings } from '../../../../src/config/schema.ts'
import { agent } from '../../../../src/deploy/context/agent-program.ts'
import { arrival, compressedAgent } from '../../../../src/deploy/hosts/upload-agent.ts'

const directory = mkdtempSync(join(tmpdir(), 'upload-'))
const remotePath = join(directory, 'there')
vi.mock('../../../../src/agent-file.ts', () => ({ agentFile: import.meta.filename }))
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs the script that takes the agent; gives its exit code, and which calls to the file system it made in which order. */
function take(input: Buffer) {
  const spy = join(directory, 'spy.cjs')
  const calls = ['writeFileSync', 'fsyncSync', 'renameSync']
  writeFileSync(
    spy,
    `const fs = require('fs')
    for (const name of ${JSON.stringify(calls)}) {
      const own = fs[name]
      fs[name] = (...args) => { const result = own(...args); console.log(name); return result }
    }`,
  )
  const script = arrival({ remotePath, node: process.execPath } as Settings)
  const env = { ...process.env, NODE_OPTIONS: `--require=${spy}` }
  const { status, stdout } = spawnSync('sh', ['-c', script], { input, env, encoding: 'utf8' })
  return { status, calls: stdout.trim().split('\n') }
}

test('the agent is on the disk before it gets its name, whole or not at all', () => {
  spawnSync('mkdir', ['-p', remotePath])
  expect(take(compressedAgent().subarray(0, -1)).status).not.toBe(0)
  expect(readdirSync(remotePath)).toEqual([])
  expect(take(compressedAgent())).toEqual({ status: 0, calls: ['writeFileSync', 'fsyncSync', 'renameSync'] })
  expect(readdirSync(remotePath)).toEqual([agent().name])
  expect(readFileSync(join(remotePath, agent().name))).toEqual(agent().content)
})
