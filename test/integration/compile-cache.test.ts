import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../support/harness/packed-project.ts'

let directory: string
let agent: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-compiled-'))
  agent = join(directory, 'murder.mjs')
  copyFileSync(join(root, 'dist/murder.mjs'), agent)
})
afterEach(() => rmSync(directory, { recursive: true }))

const cache = (...path: string[]) => join(directory, 'compile-cache', ...path)
const help = (command: string) =>
  execFileSync(process.execPath, [agent, command, '--help'], { encoding: 'utf8' })

test('what Node compiles of a peer is kept where it has a place', () => {
  mkdirSync(cache(), { mode: 0o700 })
  const first = help('peer')
  expect(existsSync(cache('peer'))).toBe('enableCompileCache' in module)
  expect(help('peer')).toBe(first)
  help('stop')
  expect(existsSync(cache('stop'))).toBe(false)
})

test('nothing is kept, or read, where others may write, or where there is no place', () => {
  help('peer')
  expect(existsSync(cache())).toBe(false)
  mkdirSync(cache())
  chmodSync(cache(), 0o777)
  help('peer')
  expect(existsSync(cache('peer'))).toBe(false)
})
