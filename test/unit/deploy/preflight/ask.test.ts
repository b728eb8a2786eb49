import { expect, test } from 'vitest'
import { askAndLock } from '../../../../src/deploy/preflight/ask.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const servers = ['a', 'b', 'c'].map((label) => ({ label }) as Server)
const answer = (server: Server, release: string) => ({
  server,
  ok: true as const,
  stdout: release === '' ? 'node=v20\n' : `current=${release}\n`,
  stderr: '',
})

test('a server on which another deploy published before it was locked is asked again', async () => {
  const releases = ['1', '1', '']
  const links = ['releases/1', '/srv/app/releases/2/', undefined]
  const asked: string[] = []
  const context = {
    lock: {
      ask: async () => servers.map((server, at) => answer(server, releases[at] ?? '')),
      linkOf: (server: Server) => links[servers.indexOf(server)],
    },
    fleet: {
      run: async (_step: string, _script: unknown, { servers: among }: { servers: Server[] }) => {
        asked.push(...among.map(({ label }) => label))
        return among.map((server) => answer(server, '2'))
      },
    },
    signal: new AbortController().signal,
  }
  const outcomes = await askAndLock(context as never)
  expect(asked).toEqual(['b'])
  expect(outcomes.map((each) => each.ok && each.stdout)).toEqual(['current=1\n', 'current=2\n', 'node=v20\n'])
})
