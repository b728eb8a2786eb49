import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { agentInstaller, compressedAgent } from '../../../../src/deploy/hosts/upload-agent.ts'
import { agent } from '../../../../src/deploy/paths/agent-program.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const directory = mkdtempSync(join(tmpdir(), 'upload-'))
const remotePath = join(directory, 'there')
vi.mock('../../../../src/agent-file.ts', () => ({ agentFile: import.meta.filename }))
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs the script that takes the agent; gives its exit code, and which programs it started for that, in which order. */
function take(input: Buffer) {
  const spies = join(directory, 'spies')
  mkdirSync(spies, { recursive: true })
  for (const name of ['gzip', 'sync', 'mv'])
    writeFileSync(
      join(spies, name),
      `#!/bin/sh\necho ${name} >>'${directory}/calls'\nPATH=\${PATH#*:} exec ${name} "$@"\n`,
      {
        mode: 0o755,
      },
    )
  writeFileSync(join(directory, 'calls'), '')
  const context = {
    nodes: new Map(),
    settings: { remotePath, node: process.execPath },
    shipit: { config: { deployTo: '/srv/app' } },
  } as unknown as Context
  const script = agentInstaller(context, { label: 'a', connection: { remote: { host: 'a' } } } as Server)
  const env = { ...process.env, PATH: `${spies}:${process.env.PATH}` }
  const { status } = spawnSync('sh', ['-c', script], { input, env, encoding: 'utf8' })
  return { status, calls: readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n') }
}

test('the agent is on the disk before it gets its name, whole or not at all', () => {
  mkdirSync(remotePath)
  expect(take(compressedAgent().subarray(0, -20))).toEqual({ status: 1, calls: ['gzip'] })
  expect(readdirSync(remotePath)).toEqual([])
  expect(take(compressedAgent())).toEqual({ status: 0, calls: ['gzip', 'sync', 'mv'] })
  expect(readdirSync(remotePath)).toEqual([agent().name])
  expect(readFileSync(join(remotePath, agent().name))).toEqual(agent().content)
})
