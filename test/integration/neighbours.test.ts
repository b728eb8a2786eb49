import { afterAll, expect, it } from 'vitest'
import { type Agent, bundledAgent, freePort, Sandbox, until } from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
let sandbox: Sandbox
afterAll(() => sandbox?.end())

/** Numbers of neighbours that an agent has told of, in order. */
const neighbours = (agent: Agent) =>
  agent.events.flatMap(({ event, peers }) => (event === 'progress' ? [Number(peers)] : []))

it('agents that hear of each other at the tracker connect at once, to each other agent once', async () => {
  sandbox = await Sandbox.make(bundled.program)
  const port = await freePort()
  await sandbox.torrent(4 * 1024 * 1024, port)
  const start = (...args: string[]) =>
    sandbox.start([...args, '--foreground', '--json', '--ports', '20000-29999'])
  const tracker = sandbox.start(['tracker', '--port', String(port), '--foreground', '--json'])
  await tracker.event('listening')
  // Slow enough that all of them are there before any is done.
  const seeder = start('seed', 'data.torrent', 'data', '--up-limit', '100K')
  await seeder.event('listening')
  const early = ['a', 'b'].map((name) => start('peer', 'data.torrent', name))
  const knows = (agent: Agent, count: number) =>
    until(`${count} neighbours`, () => neighbours(agent).includes(count), [agent.ended])
  await Promise.all(early.map((agent) => knows(agent, 2)))

  const late = start('peer', 'data.torrent', 'c')
  await late.event('listening')
  const listening = performance.now()
  await knows(late, 3)
  // Long before anybody asks the tracker again: 20 s.
  expect(performance.now() - listening).toBeLessThan(10_000)
  const all = [...early, late]
  await Promise.all(all.map((agent) => knows(agent, 3)))
  // The tracker tells each of itself, and of those that are dialing it at that moment.
  for (const agent of all) expect(Math.max(...neighbours(agent))).toBe(3)
  await until('a second announce', () => neighbours(late).length > 4, [late.ended])
  for (const agent of all) expect(neighbours(agent).at(-1)).toBe(3)
})
