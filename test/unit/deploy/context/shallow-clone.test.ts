import { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { removeShallowClones, watchShallowClones } from '../../../../src/deploy/context/shallow-clone.ts'
import type { Shipit, ShipitConfig } from '../../../../src/shipit.ts'

/** As much of a host as fetches. */
class Host extends EventEmitter {
  config: ShipitConfig = {}
  readonly logged: unknown[] = []
  log = (...args: unknown[]) => void this.logged.push(args[0])

  /** Runs a task that says that it has made these clones. */
  fetch(...paths: string[]): this {
    this.emit('task_start', { task: 'deploy:fetch' })
    for (const path of paths) this.log(`Temporary workspace created: "${path}"`)
    this.emit('task_stop', { task: 'deploy:fetch' })
    return this
  }

  remove(config: ShipitConfig = {}): void {
    this.config = config
    removeShallowClones(this as unknown as Shipit)
  }
}

let root: string
let clone: string
let host: Host
const home = process.cwd()

const made = (name: string) => {
  mkdirSync(join(root, name, 'deep'), { recursive: true })
  return join(root, name)
}

beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'shallow-clone-'))
  vi.stubEnv('TMPDIR', root)
  clone = made(`tmp-${process.pid}abcdefghijkl`)
  host = new Host()
  watchShallowClones(host as unknown as Shipit)
})

afterEach(() => {
  process.chdir(home)
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

describe('a clone that shipit-deploy has said it made', () => {
  test('goes, and nothing beside it', () => {
    const other = made(`tmp-${process.pid}another`)
    host.fetch(clone).remove({ workspace: '/another' })
    expect([clone, other].map(existsSync)).toEqual([false, true])
    expect(host.logged).toHaveLength(1)
  })

  test('goes as soon as a task fails', () => {
    host.fetch(clone).emit('task_err', { task: 'build' })
    expect(existsSync(clone)).toBe(false)
  })

  test('goes where the temporary directory is named by a link', () => {
    const link = join(root, 'link')
    symlinkSync(root, link)
    vi.stubEnv('TMPDIR', `${link}/`)
    host.fetch(join(link, `tmp-${process.pid}abcdefghijkl`)).remove()
    expect(existsSync(clone)).toBe(false)
  })

  test.each<[string, () => ShipitConfig]>([
    ['keepWorkspace', () => ({ keepWorkspace: true })],
    ['no shallowClone', () => ({ shallowClone: false })],
    ['the configured workspace', () => ({ workspace: clone })],
    ['the same with a slash', () => ({ workspace: `${clone}/` })],
    ['the same with dots', () => ({ workspace: `${join(clone, 'deep')}/..` })],
    ['the same relative', () => ({ workspace: relative(process.cwd(), clone) })],
    ['what rsyncFrom names', () => ({ rsyncFrom: clone })],
  ])('stays with %s', (_, config) => {
    host.fetch(clone).remove(config())
    expect(existsSync(clone)).toBe(true)
  })

  test.each(['', 'deep'])('stays while it is the current directory, or above: %j', (below) => {
    process.chdir(join(clone, below))
    host.fetch(clone).remove()
    expect(existsSync(clone)).toBe(true)
  })

  test('stays when something else has its name by then', () => {
    const project = made('project')
    host.fetch(clone)
    renameSync(clone, join(root, 'moved'))
    symlinkSync(project, clone)
    host.remove()
    expect([join(project, 'deep'), clone].map(existsSync)).toEqual([true, true])
    rmSync(clone)
    renameSync(project, clone)
    host.remove()
    expect([clone, join(root, 'moved')].map(existsSync)).toEqual([true, true])
  })
})

describe('what is not such a clone stays', () => {
  test('said outside of deploy:fetch', () => {
    host.log(`Temporary workspace created: "${clone}"`)
    host.fetch().log(`Temporary workspace created: "${clone}"`)
    host.remove()
    expect(existsSync(clone)).toBe(true)
  })

  test.each<[string, () => string]>([
    ['the current directory', () => '.'],
    ['the root', () => '/'],
    ['another directory in the temporary one', () => made('release')],
    ["another process's", () => made('tmp-1abcdefghijkl')],
    ['one of that name elsewhere', () => made(`deeper/tmp-${process.pid}abcdefghijkl`)],
    [
      'a link of that name',
      () => {
        const link = join(root, `tmp-${process.pid}link`)
        symlinkSync(clone, link)
        return link
      },
    ],
  ])('although a copy of the task says so: %s', (_, path) => {
    const named = path()
    process.chdir(made('project'))
    host.fetch(named).remove()
    expect([named, clone, join(root, 'project/deep')].map(existsSync)).toEqual([true, true, true])
  })
})
