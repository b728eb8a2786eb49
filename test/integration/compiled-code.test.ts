import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CompilingAgent } from '../support/harness/compiling-agent.ts'

let agent: CompilingAgent

beforeEach(async () => {
  agent = await CompilingAgent.make()
})
afterEach(() => agent.remove())

const only = async () => join(agent.compiled, (await agent.files())[0] ?? 'nothing')

it('keeps one file for a command and a version of Node, and nothing half written', async () => {
  await agent.functionsCompiled()
  expect(await agent.files()).toEqual([
    expect.stringMatching(
      new RegExp(`^murder\\.mjs-[0-9a-f]{8}-make-torrent-${process.version}-${process.arch}$`),
    ),
  ])
})

it('works with a damaged file, and replaces it', async () => {
  const first = await agent.functionsCompiled()
  const file = await only()
  const bytes = await readFile(file)
  bytes[5000] = (bytes[5000] ?? 0) ^ 1
  await writeFile(file, bytes)
  expect(await agent.functionsCompiled()).toBeGreaterThan(first / 2)
  expect(await agent.functionsCompiled()).toBeLessThan(first / 4)
  await truncate(file, 10)
  expect(await agent.functionsCompiled()).toBeGreaterThan(first / 2)
  expect(await agent.functionsCompiled()).toBeLessThan(first / 4)
})

it('replaces what a process kept that did little', async () => {
  await agent.run(agent.logging, ['make-torrent', '--help'])
  expect(await agent.files()).toHaveLength(1)
  const first = await agent.functionsCompiled()
  const then = await agent.functionsCompiled()
  expect(first).toBeGreaterThan(50)
  expect(then).toBeLessThan(first / 2)
  const content = await readFile(await only())
  await agent.run(agent.logging, ['make-torrent', '--help'])
  expect(content.equals(await readFile(await only()))).toBe(true)
})

it('keeps nothing where no directory for it is, of what failed, and of what is no command', async () => {
  await expect(agent.run([], ['make-torrent'])).rejects.toThrow('make-torrent needs')
  await expect(agent.run([], ['../../outside'])).rejects.toThrow('no command')
  await agent.run([], ['--version'])
  expect(await agent.files()).toEqual([])
  await rm(agent.compiled, { recursive: true })
  const first = await agent.functionsCompiled()
  expect(await agent.functionsCompiled()).toBeGreaterThan(first / 2)
  await expect(agent.files()).rejects.toThrow('ENOENT')
})
