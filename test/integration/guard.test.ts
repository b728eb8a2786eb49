import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { parseHistory } from '../../src/deploy/releases/history.ts'
import {
  armScript,
  confirmScript,
  dueScript,
  releaseScript,
  standDownScript,
  supersedeScript,
} from '../../src/deploy/scripts/guard/guard-orders.ts'
import type { Guard } from '../../src/deploy/scripts/guard/guard-program.ts'
import { parseUnconfirmed, tellGuardScript } from '../../src/deploy/scripts/guard/tell-guard-script.ts'
import { type LockOwner, takeLockScript } from '../../src/deploy/scripts/lock-script.ts'
import { publishScript, revertScript } from '../../src/deploy/scripts/releases/publish-script.ts'
import { SAY, STARTED, STILL_RUNS } from '../../src/deploy/scripts/shell-functions.ts'
import { userCommandScript } from '../../src/deploy/scripts/user-command-script.ts'

const AUTHOR = { who: 'ann@desk', when: '2026-01-02T03:04:05.678Z' }
const SECONDS = 1
/** Signs of life come up to five seconds apart. */
const SILENCE_MS = 20_000
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([shell]) => spawnSync(shell as string, ['-c', 'true']).status === 0 || shell === 'busybox',
)

const owner = (id: string, kind: LockOwner['kind'] = 'deploy'): LockOwner => ({
  ...{ id, kind, who: 'bob@desk', what: 'deploy of test', when: AUTHOR.when, process: '' },
})

const roots: string[] = []
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

/** A server with the releases 1 to 3, of which 1 is live. */
class Place {
  readonly root = mkdtempSync(join(tmpdir(), "it's "))
  readonly said = join(this.root, 'said')
  readonly #shell: string[]
  readonly #fields: Partial<Guard>

  constructor(fields: Partial<Guard> = {}, shell = ['sh']) {
    this.#shell = shell
    this.#fields = fields
    for (const release of ['1', '2', '3'])
      mkdirSync(join(this.root, 'releases', release), { recursive: true })
    mkdirSync(join(this.root, 'murder'))
    symlinkSync('releases/1', join(this.root, 'current'))
    roots.push(this.root)
  }

  get remotePath(): string {
    return join(this.root, 'murder')
  }

  guard(token: string): Guard {
    const say = (word: string) =>
      userCommandScript({
        commands: [`echo "${word} $MURDER_RELEASE $SECRET" >>"$SAID"`],
        within: [join(this.root, 'current'), this.root],
        env: { SAID: this.said, SECRET: "it's" },
      })
    return {
      remotePath: this.remotePath,
      deployTo: this.root,
      token,
      seconds: SECONDS,
      owner: owner(`${token}-guard`),
      activate: say('activate'),
      undo: say('undo'),
      after: say('after'),
      timeoutS: 5,
      ...this.#fields,
    }
  }

  sh(script: string): string {
    const [program, ...options] = this.#shell as [string, ...string[]]
    return execFileSync(program, [...options, '-c', script], { encoding: 'utf8', stdio: 'pipe' })
  }

  publish(release: string, token: string): string {
    const arm = armScript(this.guard(token), 'ann@desk')
    return this.sh(publishScript(this.root, { release }, AUTHOR, undefined, { arm }))
  }

  told() {
    return parseUnconfirmed(this.sh([SAY, STARTED, STILL_RUNS, tellGuardScript(this.remotePath)].join('\n')))
  }

  live(): string | undefined {
    return existsSync(join(this.root, 'current')) ? readlinkSync(join(this.root, 'current')) : undefined
  }

  words(): string[] {
    return existsSync(this.said) ? readFileSync(this.said, 'utf8').trim().split('\n') : []
  }

  beside(): string[] {
    return readdirSync(this.remotePath).filter((name) => name !== 'last-lock')
  }

  events(): string[] {
    const lines = readFileSync(join(this.root, '.murder-history'), 'utf8').trim().split('\n')
    return parseHistory(lines).map(({ event, release }) => `${event} ${release}`)
  }

  /** Until the guard has gone, whatever it has done. */
  async ended(): Promise<void> {
    await expect
      .poll(() => this.beside().filter((name) => name.startsWith('guard')), { timeout: SILENCE_MS })
      .toEqual([])
  }

  /** As the shell of a lock does it for as long as its deploy lives. */
  alive(): void {
    rmSync(join(this.remotePath, 'guard/silent'), { force: true })
  }
}

describe.concurrent.each(SHELLS)('a guard in %s', (...shell) => {
  test('goes back when no sign of life comes, restarts, and leaves nothing behind', async () => {
    const place = new Place({}, shell)
    expect(place.publish('2', 'a')).toBe('was=releases/1\nguard=armed\n')
    expect(place.live()).toBe('releases/2')
    expect(place.told()).toEqual({ release: '2', by: 'ann@desk', isLost: false })
    await place.ended()
    expect(place.live()).toBe('releases/1')
    expect(place.words()).toEqual(["activate 1 it's", "undo 1 it's"])
    expect(place.beside()).toEqual([])
    expect(place.events().slice(-3)).toEqual(['live 2', 'reverted 2', 'live 1'])
  })

  test('stays as long as there are signs of life, and goes when it is released', async () => {
    const place = new Place({}, shell)
    place.publish('2', 'a')
    for (let second = 0; second < 12; second++) {
      place.alive()
      await setTimeout(1000)
    }
    expect(place.live()).toBe('releases/2')
    expect(place.sh(releaseScript(place.remotePath, 'a'))).toBe('guard=released\n')
    expect(place.beside()).toEqual([])
    await setTimeout(8000)
    expect(place.live()).toBe('releases/2')
    expect(place.words()).toEqual([])
  })
})

describe.concurrent('a guard', () => {
  test('once it is due only a new connection counts', async () => {
    const place = new Place()
    place.publish('2', 'a')
    expect(place.sh(dueScript(place.remotePath, 'a'))).toBe('guard=armed\n')
    const beating = setInterval(() => place.alive(), 100)
    await place.ended()
    clearInterval(beating)
    expect(place.live()).toBe('releases/1')
    expect(place.sh(confirmScript(place.remotePath, 'a'))).toBe('guard=back\n')

    const other = new Place()
    other.publish('2', 'a')
    other.sh(dueScript(other.remotePath, 'a'))
    expect(other.sh(confirmScript(other.remotePath, 'b'))).toBe('guard=back\n') // Of another deploy.
    expect(other.sh(confirmScript(other.remotePath, 'a'))).toBe('guard=confirmed\n')
    await setTimeout(3000)
    expect(other.live()).toBe('releases/2')
    // The rest of the group is still to come: then the deploy is killed.
    await other.ended()
    expect(other.live()).toBe('releases/1')
  })

  test.each<[string, (place: Place) => void, string | undefined]>([
    [
      'somebody else has published',
      (place) => place.sh(publishScript(place.root, { release: '3' }, AUTHOR)),
      'releases/3',
    ],
    [
      'and so has another deploy, which takes it away',
      (place) =>
        place.sh(
          publishScript(place.root, { release: '2' }, AUTHOR, undefined, {
            arm: supersedeScript(place.remotePath),
          }),
        ),
      'releases/2',
    ],
    [
      'what was before is gone',
      (place) => rmSync(join(place.root, 'releases/1'), { recursive: true }),
      'releases/2',
    ],
    [
      'current was made by hand',
      (place) => {
        rmSync(join(place.root, 'current'))
        symlinkSync('releases/3', join(place.root, 'current'))
      },
      'releases/3',
    ],
  ])('changes nothing where %s', async (_, meanwhile, live) => {
    const place = new Place()
    place.publish('2', 'a')
    meanwhile(place)
    await place.ended()
    expect(place.live()).toBe(live)
    expect(place.words()).toEqual([])
    expect(place.beside()).toEqual([])
  })

  test('waits while another deploy has the lock, and goes back when that has published nothing', async () => {
    const place = new Place()
    place.publish('2', 'a')
    const deploy = spawn('sh', ['-c', `${takeLockScript(place.remotePath, owner('b'))}\nread x`])
    await setTimeout(9000)
    expect(place.live()).toBe('releases/2')
    deploy.kill('SIGKILL')
    await place.ended()
    expect(place.live()).toBe('releases/1')
  })

  test('does not wait for its own lock, which a dead connection has left, nor for one by hand', async () => {
    const place = new Place()
    place.publish('2', 'a')
    place.sh(takeLockScript(place.remotePath, owner('a')))
    const other = new Place()
    other.publish('2', 'a')
    other.sh(takeLockScript(other.remotePath, owner('m', 'manual')))
    await Promise.all([place.ended(), other.ended()])
    expect([place.live(), other.live()]).toEqual(['releases/1', 'releases/1'])
    expect(place.beside()).toEqual([])
    expect(other.beside()).toEqual(['lock'])
  })

  test('another deploy that publishes the same release knows from it what was before', async () => {
    const place = new Place()
    place.publish('2', 'a')
    expect(place.publish('2', 'b')).toBe('was=releases/2\nguard=armed\n')
    await place.ended()
    expect(place.live()).toBe('releases/1')
    expect(place.publish('1', 'c')).toBe('was=releases/1\nguard=none\n')
    expect(place.beside()).toEqual([])
  })

  test('where nothing was live before, nothing is afterwards', async () => {
    const place = new Place()
    rmSync(join(place.root, 'current'))
    expect(place.publish('2', 'a')).toBe('was=\nguard=armed\n')
    await place.ended()
    expect(place.live()).toBeUndefined()
    expect(place.words()).toEqual(["undo  it's"])
  })

  test('puts a server back that was taken out, and ends commands that hang', async () => {
    const hang = userCommandScript({ commands: ['sleep 100'], within: ['/'], env: {} })
    const place = new Place({ activate: hang, timeoutS: 1 })
    writeFileSync(join(place.remotePath, 'drained'), 'ann@desk\n')
    place.publish('2', 'a')
    await place.ended()
    expect(place.words()).toEqual(["undo 1 it's", "after 1 it's"])
  })

  test('one that has ended with its machine is told of, until a deploy publishes', async () => {
    const place = new Place()
    const die = (name: string) => {
      const [pid] = readFileSync(join(place.remotePath, name, 'process'), 'utf8').split(' ')
      process.kill(Number(pid), 'SIGKILL')
    }
    place.publish('2', 'a')
    die('guard')
    await expect.poll(() => place.told()).toEqual({ release: '2', by: 'ann@desk', isLost: true })
    place.publish('3', 'b')
    expect(place.told()).toEqual({ release: '3', by: 'ann@desk', isLost: false })
    // While it went back, and then again a deploy without a guard.
    for (const publish of [
      () => place.publish('1', 'c'),
      () =>
        place.sh(
          publishScript(place.root, { release: '2' }, AUTHOR, undefined, {
            arm: supersedeScript(place.remotePath),
          }),
        ),
    ]) {
      die('guard')
      renameSync(join(place.remotePath, 'guard'), join(place.remotePath, 'guard.back'))
      await expect.poll(() => place.told()).toMatchObject({ isLost: true })
      publish()
      expect(place.beside()).not.toContain('guard.back')
    }
    expect(place.beside()).toEqual([])
    expect(place.told()).toBeUndefined()
  })

  test('a deploy that goes back itself takes it away, or waits for it', async () => {
    const place = new Place()
    place.publish('2', 'a')
    const standDown = standDownScript(place.remotePath, 'a', 20)
    const back = () =>
      place.sh(
        revertScript(place.root, { release: '2', isNew: true }, 'releases/1', AUTHOR, undefined, {
          standDown,
        }),
      )
    expect(back()).toBe('guard=released\n')
    expect(place.live()).toBe('releases/1')
    expect(existsSync(join(place.root, 'releases/2'))).toBe(false)
    expect(back()).toBe('guard=back\n')
    await setTimeout(2000)
    expect(place.words()).toEqual([])
  })
})
