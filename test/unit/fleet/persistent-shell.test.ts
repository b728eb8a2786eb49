import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Command } from '../../../src/fleet/command.ts'
import type { Fleet } from '../../../src/fleet/fleet.ts'
import { PersistentShell } from '../../../src/fleet/persistent-shell.ts'
import { ScriptLibrary } from '../../../src/fleet/script-library.ts'
import { LACKS_LIBRARY, libraryLine } from '../../../src/fleet/script-library-script.ts'
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

test('a server that asks gets the library, once for each connection', async () => {
  const library = ScriptLibrary.of(["echo 'a line of the library'"])
  const sent: string[] = []
  const fleet = {
    async runOn(server, _step, { script, stdin, onLine }: Command) {
      for (const _ of ['first', 'after it broke']) {
        const input = (stdin as () => Readable)()
        for (const line of [LACKS_LIBRARY, LACKS_LIBRARY]) onLine?.(line)
        sent.push(String(input.read()))
      }
      return { server, ok: true, stdout: script, stderr: '' }
    },
  } as Pick<Fleet, 'runOn'> as Fleet
  const { signal } = new AbortController()
  const shell = new PersistentShell(fleet, { label: 'a' } as Server, {
    ...{ step: 'check', script: "echo 'a line of the library'", answerTimeout: 20, signal },
    library: { library, path: '/there' },
  })
  expect(await shell.said).toMatchObject({ ok: true, stdout: `${LACKS_LIBRARY}\n${LACKS_LIBRARY}` })
  expect(sent).toEqual(Array(2).fill(libraryLine(library.text)))
})
