import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { ServerFollower } from '../../../../src/deploy/peers/follow-server.ts'
import type { Assignment, RemotePeer } from '../../../../src/deploy/peers/remote-peer.ts'
import { SourceNames } from '../../../../src/deploy/peers/source-names.ts'
import type { TransferPlan, TransferPlans } from '../../../../src/deploy/peers/transfer-plans.ts'
import { TransferTimes } from '../../../../src/deploy/peers/transfer-times.ts'
import { MurderError } from '../../../../src/errors.ts'
import type { Command, Outcome, RunOptions } from '../../../../src/fleet/command.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'
import type { AgentEvent } from '../../../../src/protocol/events.ts'

const server = { label: 'deploy@a', host: 'a', connection: { remote: { host: 'a' } } } as Server
const board = { update: vi.fn(), seeder: vi.fn(), log: vi.fn(), fail: vi.fn() }
const record = { transferred: vi.fn() }
const picture = { lost: vi.fn(), found: vi.fn(), sources: vi.fn() }
const failed = (code: string): Outcome => ({ server, ok: false, error: new MurderError(code, 'It failed') })

beforeEach(() => {
  vi.useFakeTimers()
  vi.clearAllMocks()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A follower whose peer says these events and then ends so; `later` is what the peer of the next connection says. */
function follower(events: AgentEvent[], outcome: Outcome | undefined, later: AgentEvent[] = [], stall = 0) {
  const controller = new AbortController()
  const runOn = (_: Server, __: string, { stdin, onLine }: Command, { signal }: RunOptions) => {
    if (typeof stdin === 'function') stdin()
    setTimeout(() => {
      for (const event of later) onLine?.(JSON.stringify(event))
    })
    return new Promise<Outcome>((resolve) =>
      signal?.addEventListener('abort', () => resolve(failed('ABORTED'))),
    )
  }
  const context = {
    display: { board: () => board },
    fleet: { servers: [server], runOn },
    record,
    picture,
    nodes: new Map(),
    settings: {
      sites: [],
      timeouts: { stall, total: 0 },
      remotePath: '/r',
      temporaryPath: '/t',
      tracker: {},
    },
    shipit: { config: { deployTo: '/srv/app' } },
    signal: controller.signal,
  } as unknown as Context
  const giveUp = vi.fn()
  let say: Assignment['onEvent'] | undefined
  const peer = {
    giveUp,
    async carryOut({ onEvent }: Assignment) {
      say = onEvent
      for (const event of events) {
        vi.advanceTimersByTime(1000)
        onEvent(event)
      }
      vi.advanceTimersByTime(1000)
      return outcome
    },
  }
  const placement = { announceUrls: () => [], seederAddress: () => 'seeder' }
  const plan = {
    transfer: { tag: '1', length: 10, compression: 'none', extent: { entries: 0, bytes: 0 } },
    swarm: { seederPort: 1, hostFor: () => 'seeder', sent: () => 7, placement },
    facts: new Map([[{ label: 'deploy@b' }, { addresses: ['10.0.0.2'], serverAddress: 'b' }]]),
    releasePath: '/srv/app/releases/1',
    unpacked: new Set<Server>(),
    peers: new Map([[server, peer as unknown as RemotePeer]]),
  } as unknown as TransferPlan['plan']
  const times = new TransferTimes()
  const shared = { torrent: '', hosts: undefined, links: undefined }
  const run = {
    ...{ context, plans: {} as TransferPlans, times, names: new SourceNames(plan.facts) },
    ...{ hasExchanged: false, hasWarned: false, isOver: false },
  }
  return {
    follower: new ServerFollower(run, server, { plan, shared }),
    run,
    /** What the peer says after it has arrived. */
    say: (event: AgentEvent) => say?.(event),
    plan,
    times,
    controller,
    giveUp,
  }
}

const downloaded = {
  event: 'downloaded',
  bytes: 10,
  total: 10,
  seconds: 1,
  kept: 2,
  received: 8,
  fromSeeder: 3,
  sent: 2,
} as const
const done: AgentEvent = { event: 'done' }
const unpacked: AgentEvent = { event: 'unpacked', files: 1, bytes: 10, seconds: 1 }

describe('following one server', () => {
  test('one that goes on sharing is shown until all have ended, and no longer', async () => {
    const { follower: one, run, say } = follower([downloaded, done, unpacked], undefined)
    await one.follow()
    vi.clearAllMocks()
    const sharing = { event: 'progress', bytes: 10, total: 10, kept: 0, down: 0, sent: 5 } as AgentEvent
    say(sharing)
    expect(board.seeder).toHaveBeenCalledTimes(1)
    run.isOver = true
    say(sharing)
    expect(board.seeder).toHaveBeenCalledTimes(1)
  })

  test('a release that arrives: its report, its phases and both times', async () => {
    const events: AgentEvent[] = [
      { event: 'banned', address: '10.0.0.2:6881' },
      { event: 'banned', address: '10.0.0.9:6881' },
      downloaded,
      done,
      unpacked,
    ]
    const { follower: one, plan, times } = follower(events, undefined)
    expect(await one.follow()).toBeUndefined()
    expect(one.hasArrived).toBe(true)
    expect(one.report).toEqual({
      server: 'deploy@a',
      seconds: 3,
      banned: ['deploy@b (10.0.0.2)', '10.0.0.9:6881'],
      received: 8,
      fromSeeder: 3,
      sent: 2,
    })
    expect(record.transferred).toHaveBeenCalledWith(one.report)
    expect(board.update.mock.calls.map(([, { phase }]) => phase)).toEqual(['transfer', 'unpack', 'done'])
    expect(times).toMatchObject({ transfer: 4, unpack: 1 })
    expect([...plan.unpacked]).toEqual([server])
  })

  test('what was there before is not transferred', async () => {
    const at = (bytes: number) =>
      ({ event: 'progress', bytes, total: 10, down: 1, up: 0, peers: 1, kept: 6 }) as const
    await follower([at(6), at(8)], undefined).follower.follow()
    expect(board.update.mock.calls.slice(1).map(([, patch]) => patch)).toMatchObject([
      { bytes: 0, total: 4 },
      { bytes: 2, total: 4 },
    ])
  })

  test('servers that are closed to each other are said to be, once', async () => {
    const length = 2 << 20
    const progress = { event: 'progress', bytes: 5, total: length, down: 1, up: 1, peers: 1 } as const
    const run = follower([progress, progress], undefined)
    Object.assign(run.plan.transfer, { length })
    Object.assign(run.plan.swarm, { sent: () => 2 * length })
    await run.follower.follow()
    expect(board.log.mock.calls).toEqual([[expect.stringContaining('get nothing from each other')]])
    const open = follower([{ ...progress, sent: 1 }], undefined)
    Object.assign(open.plan.transfer, { length })
    Object.assign(open.plan.swarm, { sent: () => 2 * length })
    board.log.mockClear()
    await open.follower.follow()
    expect(board.log).not.toHaveBeenCalled()
  })

  test('a server can accuse few others, and each once', async () => {
    const accused = Array.from({ length: 500 }, (_, index) => `10.0.1.${index % 250}:${index}`)
    const events = accused.map((address) => ({ event: 'banned', address }) as const)
    const { follower: one } = follower([{ event: 'banned', address: '10.0.1.0:0' }, ...events], undefined)
    await one.follow()
    expect(one.report.banned).toEqual(accused.slice(0, 10))
    expect(board.log).toHaveBeenCalledTimes(10)
  })

  test('that unpacking begins anew is said once, and in a few words', async () => {
    const event = { event: 'again', message: `wrong\n${'x'.repeat(1000)}` } as const
    const { follower: one } = follower([event, event], failed('PACKAGE_DAMAGED'))
    await one.follow()
    expect(board.log).toHaveBeenCalledTimes(1)
    const [text] = board.log.mock.calls[0] as [string]
    expect(text).toMatch(/^deploy@a: unpacking begins anew when all is here: wrong x+/)
    expect(text.length).toBeLessThan(400)
  })

  test('a server that only talks is given up', async () => {
    const talk = Array(60).fill({ event: 'progress', bytes: 1, total: 10, down: 1, up: 1, peers: 1 })
    const { follower: one, giveUp } = follower(talk, failed('STALLED'), [], 20)
    await one.follow()
    expect(giveUp).toHaveBeenCalledWith(expect.objectContaining({ code: 'STALLED' }))
    const still = follower(talk.slice(0, 30), undefined, [], 20)
    await still.follower.follow()
    expect(still.giveUp).not.toHaveBeenCalled()
  })

  test('progress is that of the transfer only until the content is complete', async () => {
    const progress = { event: 'progress', bytes: 5, total: 10, down: 1, up: 1, peers: 1 } as const
    const { follower: one } = follower([progress, done, progress], undefined)
    await one.follow()
    expect(board.update.mock.calls.filter(([, { bytes }]) => bytes === 5)).toHaveLength(1)
    expect(board.seeder).toHaveBeenCalledTimes(2)
  })

  test.each([
    ['transfer', [], { transfer: 1, unpack: 0 }],
    ['unpack', [done], { transfer: 1, unpack: 1 }],
  ] as const)('a failure of its %s, whose time counts, too', async (step, events, seconds) => {
    const { follower: one, times } = follower([...events], failed('DISK'))
    const failure = await one.follow()
    expect(failure).toEqual({ server: 'deploy@a', step, cause: 'It failed' })
    expect(board.fail).toHaveBeenCalledWith(failure)
    expect(one.hasArrived).toBe(false)
    expect(times).toMatchObject(seconds)
  })

  test.each([
    ['transfer', []],
    ['unpack', [done]],
  ] as const)('an agent that ends well before its %s is over has failed', async (step, events) => {
    const { follower: one } = follower([...events], { server, ok: true, stdout: '', stderr: '' })
    const failure = await one.follow()
    expect(failure).toMatchObject({ step, cause: expect.stringContaining('ended before its work was done') })
    expect(one.hasArrived).toBe(false)
  })

  test('Ctrl-C is no failure of the server', async () => {
    const { follower: one, controller } = follower([], failed('SSH_LOST'))
    controller.abort()
    expect(await one.follow()).toBeUndefined()
    expect(one.hasArrived).toBe(false)
    expect(board.fail).not.toHaveBeenCalled()
  })

  test('a server that says nothing for a while looks lost', async () => {
    record.transferred.mockImplementationOnce(() => {
      expect(picture.lost).not.toHaveBeenCalled()
      vi.advanceTimersByTime(3000)
    })
    const { follower: one } = follower([downloaded, done, unpacked], {
      server,
      ok: true,
      stdout: '',
      stderr: '',
    })
    await one.follow()
    expect(picture.lost).toHaveBeenCalledWith('deploy@a', expect.objectContaining({ step: 'transfer' }))
    expect(picture.found).toHaveBeenCalledTimes(3)
  })

  test('a connection that breaks is replaced, and the report begins anew', async () => {
    vi.useRealTimers()
    vi.spyOn(vi, 'advanceTimersByTime').mockReturnValue(vi)
    const { follower: one } = follower([{ event: 'banned', address: '10.0.0.2:6881' }], failed('SSH_LOST'), [
      done,
      unpacked,
    ])
    expect(await one.follow()).toBeUndefined()
    one.peer.letGo()
    expect(one.hasArrived).toBe(true)
    expect(one.report).toEqual({ server: 'deploy@a', seconds: 0 })
    expect(board.log.mock.calls.slice(1)).toEqual([
      ['deploy@a: the connection broke; connecting again, the download goes on meanwhile', 'deploy@a'],
    ])
    const cause = 'It failed; connecting again, the download goes on meanwhile'
    expect(picture.lost.mock.calls).toEqual([
      ['deploy@a', { step: 'transfer', cause, cure: expect.any(String) }],
    ])
    expect(picture.found.mock.invocationCallOrder.at(-1)).toBeGreaterThan(
      picture.lost.mock.invocationCallOrder.at(-1) ?? 0,
    )
  })

  test('an agent that has given up waiting, because this process was suspended, gets its order anew', async () => {
    vi.useRealTimers()
    vi.spyOn(vi, 'advanceTimersByTime').mockReturnValue(vi)
    const { follower: one, plan } = follower([], failed('COMMAND_FAILED'), [done, unpacked])
    Object.assign(plan.peers?.get(server) as object, { gotNoOrder: true })
    expect(await one.follow()).toBeUndefined()
    one.peer.letGo()
    expect(one.hasArrived).toBe(true)
    expect(board.log).not.toHaveBeenCalled()
  })

  test('a release that was there before is not undone as its work', async () => {
    const refusal = { event: 'failed', code: 'RELEASE_EXISTS', message: 'it is there', exitCode: 1 } as const
    const { follower: one, plan } = follower([refusal], undefined)
    await expect(one.follow()).rejects.toThrow('it is there')
    expect(plan.unpacked.size).toBe(0)
  })
})
