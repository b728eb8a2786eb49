import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Fleet } from '../../../src/fleet/fleet.ts'
import { PersistentShell } from '../../../src/fleet/persistent-shell.ts'
import type { Server } from '../../../src/fleet/ssh/server.ts'

test('a shell that prints without end before it has said all is ended', async () => {
  let printed = 0
  const fleet = {
    async runOn(server, _step, { onLine }, { signal } = {}) {
      const line = 'x'.repeat(1 << 16)
      while (!signal?.aborted) {
        onLine?.(line)
        printed += line.length
        await setImmediate()
      }
      return { server, ok: false, error: signal?.reason }
    },
  } as Pick<Fleet, 'runOn'> as Fleet
  const { signal } = new AbortController()
  const shell = new PersistentShell(fleet, { label: 'a' } as Server, {
    ...{ step: 'check', script: 'true', answerTimeout: 20, signal },
  })
  expect(await shell.said).toMatchObject({ ok: false, error: { code: 'OUTPUT_TOO_LONG' } })
  expect(printed).toBeLessThan(5 << 20)
})
