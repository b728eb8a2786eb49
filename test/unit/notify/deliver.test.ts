import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { deliver } from '../../../src/notify/deliver.ts'

function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'notify-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return join(directory, 'said')
}

test('a command that fails is tried again', async () => {
  const file = temporaryFile()
  const command = `cat >>'${file}'; [ "$(wc -l <'${file}')" = 2 ]`
  expect(await deliver({ command, body: '{}' }, { pausesS: [0.01] })).toEqual([])
  expect(readFileSync(file, 'utf8')).toBe('{}\n{}\n')
})

test('one that hangs is ended with what it waits for, once', async () => {
  const file = temporaryFile()
  const command = `sleep 60 & echo $! >>'${file}'; wait`
  expect(await deliver({ command, body: '{}' }, { pausesS: [0.01], timeoutMs: 500 })).toEqual([
    'murder.notify.command was not done after 0.5 s',
  ])
  const [pid, ...more] = readFileSync(file, 'utf8').trim().split('\n')
  expect(more).toEqual([])
  const state = () => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2]
    } catch {
      return 'gone'
    }
  }
  await expect.poll(() => ['Z', 'gone'].includes(state() ?? '')).toBe(true)
})
