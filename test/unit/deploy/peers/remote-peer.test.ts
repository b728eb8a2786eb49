import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { RemotePeer } from '../../../../src/deploy/peers/remote-peer.ts'
import type { Command, Outcome, RunOptions } from '../../../../src/fleet/command.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const server = {
  label: 'a',
  host: 'a',
  connection: { remote: { host: 'a' }, options: {} },
} as unknown as Server
const STALL_S = 60

/** Simulated time. Gives what ended the session, once something has. */
function started() {
  let begin = () => {}
  const ended = vi.fn()
  const runOn = (_: Server, __: string, { stdin }: Command, { signal }: RunOptions) => {
    begin = () => void (typeof stdin === 'function' && stdin())
    return new Promise<Outcome>(() => signal?.addEventListener('abort', () => ended(signal.reason.code)))
  }
  const context = {
    fleet: { runOn },
    nodes: new Map(),
    settings: { timeouts: { stall: STALL_S }, remotePath: '/r', temporaryPath: '/t' },
    shipit: { config: { deployTo: '/srv/app' } },
    signal: new AbortController().signal,
  } as unknown as Context
  new RemotePeer(context, server)
  return { begin: () => begin(), ended }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('an agent has its time to start from when it is its turn, however many are before it', async () => {
  const { begin, ended } = started()
  await vi.advanceTimersByTimeAsync(20 * STALL_S * 1000)
  begin()
  await vi.advanceTimersByTimeAsync(STALL_S * 1000)
  expect(ended).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(2 * STALL_S * 1000)
  expect(ended).toHaveBeenCalledExactlyOnceWith('STALLED')
})
