import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { bringNode } from '../../../../src/deploy/node/bring-node.ts'
import { type Build, PINNED } from '../../../../src/deploy/node/build.ts'
import type { Platform } from '../../../../src/deploy/scripts/node/platform-script.ts'
import type { Command, Outcome } from '../../../../src/fleet/command.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bring-'))
  vi.stubEnv('XDG_CACHE_HOME', root)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

const linux: Platform = {
  system: 'Linux',
  machine: 'x86_64',
  libc: 'glibc 2.36',
  free: Number.POSITIVE_INFINITY,
  isNoexec: false,
}
const serverOf = (label: string) => ({ label, connection: { remote: { host: label } } }) as Server

function buildOf(version: string): Build {
  const path = join(root, version)
  writeFileSync(path, `Node ${version}`)
  return { version, machine: 'x86_64', libc: 'glibc 2.28', from: 'file', path }
}

/** A fleet whose servers answer so to a Node; `most` is how many were busy at once. */
function fleetOf(answer: (program: string, label: string) => string, concurrency = 30) {
  const seen = { most: 0, busy: 0, shown: [] as string[] }
  async function runOn(server: Server, _: string, { stdin }: Command): Promise<Outcome> {
    seen.most = Math.max(seen.most, ++seen.busy)
    const compressed = await buffer((stdin as () => NodeJS.ReadableStream)())
    await new Promise((resolve) => setTimeout(resolve, 5))
    seen.busy--
    return { server, ok: true, stdout: answer(gunzipSync(compressed).toString(), server.label), stderr: '' }
  }
  const update = (label: string, { bytes, total }: { bytes: number; total: number }) =>
    seen.shown.push(`${label} ${bytes}/${total}`)
  const context = {
    display: { board: () => ({ update }) },
    fleet: { runOn },
    settings: { concurrency, remotePath: '/r', timeouts: { stall: 1 } },
    shipit: { config: { deployTo: '/srv/app' } },
    signal: new AbortController().signal,
  }
  return { context: context as unknown as Context, seen }
}

test('no more uploads at a time than "concurrency", each shown to its end', async () => {
  const { context, seen } = fleetOf(() => 'version=v24.1.0\n', 2)
  const servers = ['a', 'b', 'c', 'd', 'e'].map(serverOf)
  const { nodes, failures } = await bringNode(context, new Map(servers.map((each) => [each, linux])), [
    buildOf('v24.1.0'),
  ])
  expect([...nodes.keys()]).toHaveLength(5)
  expect(nodes.get(servers[0] as Server)).toEqual({
    version: 'v24.1.0',
    path: expect.stringMatching(/^\/r\/node-v24\.1\.0-[0-9a-f]{16}$/),
  })
  expect([seen.most, failures]).toEqual([2, []])
  expect(seen.shown.filter((line) => /^e (\d+)\/\1$/.test(line))).not.toEqual([])
})

test('where one does not run the next is tried, and what is told is why the first did not', async () => {
  const { context } = fleetOf((program, label) =>
    program.includes('v22') || label === 'b' ? 'unfit=127 x: not found\n' : 'version=v24.1.0\n',
  )
  const [a, b] = [serverOf('a'), serverOf('b')]
  const builds = [buildOf('v22.1.0'), buildOf('v24.1.0')]
  const { nodes, failures } = await bringNode(
    context,
    new Map([
      [a, linux],
      [b, linux],
    ]),
    builds,
  )
  expect(nodes.get(a)?.version).toBe('v24.1.0')
  expect(nodes.get(b)).toBeUndefined()
  expect(failures).toMatchObject([
    { server: 'b', step: 'check', cause: expect.stringContaining('the loader of glibc is missing') },
  ])
})

test('docs/node.md names the version that is pinned', () => {
  expect(readFileSync('docs/node.md', 'utf8')).toContain(PINNED.version)
})
