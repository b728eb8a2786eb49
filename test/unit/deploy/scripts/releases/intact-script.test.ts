import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { intactScript, parseIntact } from '../../../../../src/deploy/scripts/releases/intact-script.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's "))
  mkdirSync(join(root, '.murder-bases'))
})
afterEach(() => rmSync(root, { recursive: true }))

const run = (release: string) => {
  const paths = { deployTo: root, remotePath: join(root, 'murder'), temporaryPath: join(root, 'tmp') }
  const script = intactScript({ ...paths, agent: join(root, 'agent.mjs'), node: process.execPath }, release)
  return parseIntact(execFileSync('sh', ['-c', script], { encoding: 'utf8' }))
}

test('says what is missing for a comparison, or what the agent says', () => {
  expect(run('a b')).toEqual({ state: 'no-note', changed: undefined })
  writeFileSync(join(root, '.murder-bases', 'a b'), '')
  expect(run('a b')).toEqual({ state: 'no-agent', changed: undefined })
  writeFileSync(join(root, 'agent.mjs'), "console.log('changed=' + process.argv.slice(2).join('|'))")
  const words = ['intact', join(root, '.murder-bases/a b'), join(root, 'releases/a b')]
  expect(run('a b')).toEqual({ state: 'compared', changed: words.join('|') })
  writeFileSync(join(root, 'agent.mjs'), "console.log('comparing\\nchanged=')")
  expect(run('a b')).toEqual({ state: 'compared', changed: undefined })
})
