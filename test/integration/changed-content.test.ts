import { readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { Swarm } from '../support/harness/swarm-harness.ts'

const MIB = 1024 * 1024

async function swarmOf(files: Record<string, number>): Promise<Swarm> {
  const swarm = await Swarm.of(files)
  onTestFinished(() => swarm.end())
  return swarm
}

/** Changes a byte of a file. */
function flip(path: string, at = 0): void {
  const content = readFileSync(path)
  content[at] = 255 - (content[at] ?? 0)
  writeFileSync(path, content)
}

it.each([
  ['changed', (path: string) => flip(path), /content\/b has changed while it was shared/],
  ['cut', (path: string) => truncateSync(path, 10), /content\/b is shorter than it was/],
])('a seeder whose file is %s ends with the name of the file', async (_how, change, message) => {
  const swarm = await swarmOf({ a: MIB, b: MIB })
  const seeder = await swarm.seeder({ fleet: 1 })
  change(`${swarm.content}/b`)
  const peer = await swarm.peer('copy', [seeder])
  await expect(seeder.failed).rejects.toMatchObject({
    code: 'OTHER_CONTENT',
    message: expect.stringMatching(message),
  })
  expect(peer.stats().banned).toEqual([])
})

it('a seeder whose file was only touched goes on', async () => {
  const swarm = await swarmOf({ a: MIB, b: MIB })
  const seeder = await swarm.seeder({ fleet: 1 })
  utimesSync(`${swarm.content}/b`, 1, 1)
  const peer = await swarm.peer('copy', [seeder])
  await peer.complete
  expect(await swarm.isWhole('copy')).toBe(true)
})

it('a peer knows the seeder that sent wrong bytes, and of which file', async () => {
  const swarm = await swarmOf({ a: MIB, b: MIB })
  flip(`${swarm.content}/b`, 64 * 1024) // in a piece that a seeder does not check when it starts
  const seeder = await swarm.seeder({ fleet: 1 })
  const peer = await swarm.peer('copy', [seeder])
  const address = `127.0.0.1:${seeder.port}`
  await expect.poll(() => peer.stats().wrongSeeder).toEqual({ address, files: ['b'] })
  expect(peer.stats().banned).toEqual([address])
})
