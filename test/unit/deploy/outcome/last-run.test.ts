import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { loadLastRun, saveLastRun } from '../../../../src/deploy/outcome/last-run.ts'
import type { RunReport } from '../../../../src/deploy/outcome/run-report.ts'

test('a run that goes on with a release keeps what that was made of, and another one does not', () => {
  const home = process.cwd()
  const directory = mkdtempSync(join(tmpdir(), 'murder-test-'))
  process.chdir(directory)
  onTestFinished(() => {
    process.chdir(home)
    rmSync(directory, { recursive: true })
  })
  const save = (release: string, workspace?: string) => {
    const context = { shipit: { environment: 'test' }, workspace } as Context
    const report = { release, revision: null, published: true, leftOut: [], servers: [], exitCode: 0 }
    saveLastRun(context, report as unknown as RunReport, undefined)
    return loadLastRun('test')?.workspace
  }
  expect(save('a', 'one')).toBe('one')
  expect(save('a')).toBe('one')
  expect(save('b')).toBeUndefined()
})
