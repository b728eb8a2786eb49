import { expect, test } from 'vitest'
import { startRestarted } from '../../../../src/deploy/hosts/restart.ts'
import type { Agent } from '../../../../src/deploy/hosts/running-agent.ts'
import { MurderError } from '../../../../src/errors.ts'

/** Agents that end when they are told to, and what each was started with. */
function agents(sent: number) {
  const starts: (readonly string[])[] = []
  const end: ((error: MurderError | undefined) => void)[] = []
  const start = async (args: readonly string[]): Promise<Agent> => {
    starts.push(args)
    const ended = new Promise<MurderError | undefined>((resolve) => end.push(resolve))
    return { port: 7001, sent, ended, stop: async () => end.at(-1)?.(undefined) }
  }
  return { starts, end, start }
}

const broken = new MurderError('AGENT_ENDED', 'The seeder ended early')

test('an agent that ends by itself is started again on the same port, and what it has sent counts', async () => {
  const { starts, end, start } = agents(10)
  const lines: string[] = []
  const agent = await startRestarted(start, 'seed', ['--ports', '7000-7009'], (line) => lines.push(line))
  end[0]?.(broken)
  await expect.poll(() => starts.length).toBe(2)
  expect(starts[1]).toEqual(['seed', '--ports', '7000-7009', '--ports', '7001-7001'])
  expect(lines).toEqual(['The seeder ended early; it is started again'])
  await expect.poll(() => agent.sent).toBe(20)
  await agent.stop()
  expect(await agent.ended).toBeUndefined()
})

test('a tracker that had to take another port keeps that', async () => {
  const { starts, end, start } = agents(0)
  const agent = await startRestarted(start, 'tracker', ['--port', '7000', '--last-port', '7009'], () => {})
  end[0]?.(broken)
  await expect.poll(() => starts.length).toBe(2)
  expect(starts[1]?.slice(-4)).toEqual(['--port', '7001', '--last-port', '7001'])
  await agent.stop()
})

test('one that is stopped is not started again', async () => {
  const { starts, start } = agents(0)
  const agent = await startRestarted(start, 'tracker', [], () => {})
  await agent.stop()
  expect(await agent.ended).toBeUndefined()
  expect(starts).toEqual([['tracker']])
})
