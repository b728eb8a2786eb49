import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { rollbackMayGoTo } from './model.ts'
import { KEPT_PATHS, type RandomServer } from './server.ts'
import type { World } from './world.ts'

type Step = (world: World) => Promise<void>

/** A deploy takes about this long here, from its first line to its last. */
const RUN_MS = 2500

const deploy: Step = async (world) => {
  const version = world.plant()
  const release = await world.deployed(version, await world.must('deploy'))
  world.last = { release, version, failed: [] }
  Object.assign(world, { isQuiet: true, isBlurred: false })
}

const rollback: Step = async (world) => {
  const targets = rollbackMayGoTo(world.models)
  const { code, text } = await world.run('rollback')
  const isUnchanged = world.servers.every(({ current, model }) => current === model.live)
  if (code !== 0) {
    const isRight = isUnchanged && (targets.length === 0 || !isAlike(world))
    if (!isRight) throw new Error(`rollback ended with ${code}, and could have gone to ${targets}\n${text}`)
    return
  }
  const now = world.servers[0]?.current ?? ''
  if (!targets.includes(now)) throw new Error(`rollback went to ${now}, not to ${targets}\n${text}`)
  const source = world.servers.find(({ model }) => model.known.includes(now))
  for (const server of world.servers) {
    const isNew = !server.model.known.includes(now)
    if (isNew && source) server.byHand.set(now, new Map(source.byHand.get(now)))
    server.model.rollBack(now)
  }
  Object.assign(world, { isQuiet: false, isBlurred: false })
}

const isAlike = ({ models }: World) => new Set(models.map(({ live, past }) => `${live} ${past}`)).size === 1

const distribute: Step = async (world) => {
  const version = world.plant()
  const tag = `tag-${version}`
  await world.must('murder:distribute', { MURDER_TAG: tag })
  for (const server of world.servers) {
    if (server.versionOf(tag) !== version) throw new Error(`${tag} was not brought`)
    server.byHand.set(tag, server.keeps())
    server.model.brought.add(tag)
  }
  world.tags.push(tag)
}

const publishBrought: Step = async (world) => {
  const tag = world.tags.find((name) => world.models.every(({ brought }) => brought.has(name)))
  if (tag === undefined) return
  await world.must('deploy:publish', { MURDER_TAG: tag })
  for (const server of world.servers) world.becomeLive(server, tag)
  // A deploy:publish alone is no deploy that could be repeated.
  world.last = undefined
  world.isBlurred = false
}

const clean: Step = async (world) => {
  await world.must('murder:clean')
}

/** Any task, ended at any moment; by a signal that it cannot obey, or can. */
const disturbed =
  (signal: NodeJS.Signals): Step =>
  async (world) => {
    const task = world.pick(['deploy', 'deploy', 'deploy', 'rollback', 'murder:distribute', 'murder:clean'])
    const version = task === 'rollback' || task === 'murder:clean' ? -1 : world.plant()
    const tag = `tag-${version}`
    const targets = rollbackMayGoTo(world.models)
    const program = world.start(task, task === 'murder:distribute' ? { MURDER_TAG: tag } : {})
    await Promise.race([setTimeout(world.next(RUN_MS)), program.ended])
    program.signal(signal)
    await program.ended
    await world.adopt(
      (server, release) =>
        task === 'rollback' ? targets.includes(release) : server.versionOf(release) === version,
      task === 'rollback' ? 'rollBack' : 'publish',
    )
    world.last = undefined
    if (task !== 'murder:distribute') return
    for (const server of world.servers) {
      if (server.versionOf(tag) !== version) continue
      server.byHand.set(tag, server.keeps())
      const history = readFileSync(join(server.app, '.murder-history'), 'utf8')
      // Killed between the rename and the note, nobody knows that it is whole, and cleaning removes it.
      if (history.includes(`\tbrought\t${tag}\t`)) server.model.brought.add(tag)
    }
  }

/** The laptop sleeps in the middle of a deploy, somebody breaks its lock and deploys. */
const suspended: Step = async (world) => {
  const sleeper = world.plant()
  const program = world.start('deploy')
  await Promise.race([setTimeout(world.next(RUN_MS)), program.ended])
  program.signal('SIGSTOP')
  await world.adopt((server, release) => server.versionOf(release) === sleeper, 'publish')
  const wasLocked = world.servers.some(({ app }) => existsSync(join(app, 'shared/murder/lock')))
  await world.must('murder:unlock')
  const version = world.plant()
  const release = await world.deployed(version, await world.must('deploy'))
  program.signal('SIGCONT')
  const { code, text } = await program.ended
  // One that had not begun yet has only waited.
  if (code === 0 && !wasLocked && world.servers.every(({ current }) => current !== release))
    await world.deployed(world.servers[0]?.versionOf(world.servers[0].current ?? '') ?? -1, text)
  else if (world.servers.some(({ current }) => current !== release))
    throw new Error(`a deploy that was suspended published over a later one, and ended with ${code}\n${text}`)
  world.last = undefined
  Object.assign(world, { isQuiet: false, isBlurred: false })
}

const atOnce: Step = async (world) => {
  const version = world.plant()
  const both = [world.start('deploy'), world.start('deploy')].map(({ ended }) => ended)
  const ended = await Promise.all(both)
  const texts = ended.map(({ text }) => text).join('\n')
  if (ended.every(({ code }) => code !== 0)) throw new Error(`neither of two deploys succeeded\n${texts}`)
  for (const server of world.servers) {
    const history = readFileSync(join(server.app, '.murder-history'), 'utf8')
    const published = [...history.matchAll(/\tlive\t(\d{14})\t/g)].map(([, name = '']) => name)
    for (const name of new Set(published))
      if (server.versionOf(name) === version && name !== server.current) world.becomeLive(server, name)
  }
  await world.deployed(version, texts)
  world.last = undefined
  world.isBlurred = false
}

/** It brings a release, and does not publish it. */
const failing =
  (env: Record<string, string>): Step =>
  async (world) => {
    world.plant()
    await world.mustFail('deploy', env)
    world.last = undefined
  }

/** One server is left out. */
const withoutOne: Step = async (world) => {
  const without = world.next(world.servers.length)
  const version = world.plant()
  await world.fleet.breakNode(without, true)
  const text = await world.must('deploy', { MURDER_TOLERATE: '1' })
  await world.fleet.breakNode(without, false)
  const others = world.servers.filter((_, index) => index !== without)
  const release = await world.deployed(version, text, others)
  world.last = { release, version, failed: [without] }
}

const retry: Step = async (world) => {
  const { last } = world
  if (!last) return
  const { code, text } = await world.run('murder:retry')
  const servers = last.failed.map((index) => world.servers[index] as RandomServer)
  const isNewest = world.servers.every(
    ({ model }, index) => last.failed.includes(index) || model.live === last.release,
  )
  if (code === 0 && isNewest && servers.length > 0) {
    for (const server of servers) {
      if (server.current !== last.release)
        throw new Error(`current is ${server.current} after a retry\n${text}`)
      if (server.versionOf(last.release) !== last.version)
        throw new Error(`${last.release} is not what others have after a retry\n${text}`)
      world.becomeLive(server, last.release)
    }
    world.last = { ...last, failed: [] }
    world.isBlurred = false
  } else if (code !== 0 && isNewest && world.version === last.version)
    throw new Error(`a retry ended with ${code}\n${text}`)
}

const locked: Step = async (world) => {
  world.plant()
  await world.must('murder:lock')
  await world.mustFail(world.pick(['deploy', 'rollback']))
  await world.must('murder:unlock')
  world.last = undefined
}

const brokenConnection: Step = async (world) => {
  const version = world.plant()
  const program = world.start('deploy')
  await Promise.race([setTimeout(world.next(RUN_MS)), program.ended])
  await world.fleet.disconnect(world.next(world.servers.length))
  const { code, text } = await program.ended
  if (code === 0) await world.deployed(version, text)
  world.last = undefined
  world.isBlurred = code !== 0
}

/** People put things into the live release, and mount something in an old one. */
const byHand: Step = async (world) => {
  const server = world.pick(world.servers)
  const { live } = server.model
  if (live === undefined) return
  const hand = server.byHand.get(live) ?? new Map<string, string>()
  const path = world.pick([...KEPT_PATHS, 'put here', 'lib/put here too'])
  const content = `${path} ${world.next(1000)}`
  const file = join(server.app, 'releases', live, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  server.byHand.set(live, hand.set(path, content))
}

const mounted: Step = async (world) => {
  const index = world.next(world.servers.length)
  const server = world.servers[index] as RandomServer
  const release = world.pick(server.model.known)
  if (release === undefined || server.mounts.includes(release)) return
  mkdirSync(join(server.app, 'releases', release, 'mnt'), { recursive: true })
  await world.fleet.mount(index, `releases/${release}/mnt`)
  server.mounts.push(release)
}

/** As by hand, or by shipit-deploy alone. */
const switched: Step = async (world) => {
  const common =
    world.models[0]?.past.filter((name) => world.models.every(({ past }) => past.includes(name))) ?? []
  if (common.length === 0) return
  const release = world.pick(common)
  for (const server of world.servers) {
    symlinkSync(`releases/${release}`, join(server.app, 'by-hand'))
    renameSync(join(server.app, 'by-hand'), join(server.app, 'current'))
    server.model.switchTo(release)
  }
  world.last = undefined
  world.isBlurred = true
}

/**
 * Another checkout of the project has no plugin yet. Of two such deploys in a row the first leaves a release of which nobody knows
 * whether it was live: it counts as found, and is offered only with a flag (test/unit/deploy/releases/history.test.ts).
 */
const plain: Step = async (world) => {
  if (new Set(world.models.map(({ live }) => live)).size > 1) return // "Remote servers are not synced."
  const isNoted = ({ app, current }: RandomServer) =>
    readFileSync(join(app, '.murder-history'), 'utf8').includes(`\tlive\t${current}\t`)
  if (!world.servers.every(isNoted)) return
  const version = world.plant()
  const text = await world.must('deploy:init deploy:fetch deploy:update deploy:publish', { PLAIN: '1' })
  for (const server of world.servers) {
    // shipit-deploy copies all of the current release, and rsync removes what is not excluded.
    server.byHand.set(server.current ?? '', server.keeps())
  }
  await world.deployed(version, text)
  world.last = undefined
  world.isBlurred = true
}

/** The steps and how often each comes. */
const STEPS: Record<string, [number, Step]> = {
  deploy: [5, deploy],
  rollback: [4, rollback],
  distribute: [2, distribute],
  publishBrought: [2, publishBrought],
  clean: [2, clean],
  killed: [5, disturbed('SIGKILL')],
  interrupted: [2, disturbed('SIGINT')],
  suspended: [2, suspended],
  atOnce: [1, atOnce],
  listenerThrows: [1, failing({ BREAK: 'updated' })],
  unhealthy: [1, failing({ MURDER_HEALTH_CHECK: 'false' })],
  withoutOne: [2, withoutOne],
  retry: [2, retry],
  locked: [1, locked],
  brokenConnection: [1, brokenConnection],
  byHand: [3, byHand],
  mounted: [1, mounted],
  switched: [1, switched],
  plain: [1, plain],
}

const BAG = Object.entries(STEPS).flatMap(([name, [weight]]) => Array.from({ length: weight }, () => name))

/** Does random steps and checks every server after each. A failure tells what was done until then. */
export async function randomSteps(
  world: World,
  count: number,
  tell: (line: string) => void = () => {},
): Promise<void> {
  const done: string[] = []
  for (let at = 0; at < count; at++) {
    const name = at === 0 ? 'deploy' : world.pick(BAG)
    done.push(name)
    tell(`${at + 1} ${name}`)
    world.isQuiet = false
    try {
      await STEPS[name]?.[1](world)
      await world.check()
    } catch (error) {
      throw new Error(`after ${done.join(', ')}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    }
  }
}
