import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ShipitConfig } from '../../src/shipit.ts'
import { names, Project } from '../support/harness/deploy-project.ts'
import { nastyTree } from '../support/harness/nasty-tree.ts'
import { killAll, quiet } from '../support/processes.ts'
import { describeIf, sshdMissing, startSshd } from '../support/sshd.ts'
import { survey } from '../unit/package/trees.ts'

const IMAGE_BYTES = 400 * 1024 * 1024
/** Nothing reaches the disk because a file system has guessed that it should. */
const MOUNT = ['-o', 'loop,noauto_da_alloc,commit=60']

const whole = (path: string) => survey(realpathSync(path), (mtime) => String(mtime / 1000n))

/** A server whose disk is a file, and so can be what it was at a moment: what was not written yet is lost. */
class Disk {
  readonly path: string
  readonly #image: string
  #mounted = false

  constructor(root: string) {
    this.path = join(root, 'disk')
    this.#image = join(root, 'image')
    mkdirSync(this.path)
    writeFileSync(this.#image, '')
    truncateSync(this.#image, IMAGE_BYTES)
    execFileSync('mkfs.ext4', ['-q', this.#image])
    this.#mount(this.#image)
    onTestFinished(() => this.#unmount())
  }

  /** Code for the shipitfile: keeps the disk as it is at each of these events. A copy into which more was written is made again. */
  keepAt(events: string[]): string {
    const [image, list] = [this.#image, events].map((value) => JSON.stringify(value))
    return `const fs = require('fs')
      for (const event of ${list}) shipit.on(event, () => {
        let before
        do {
          before = fs.statSync(${image}).mtimeMs
          require('child_process').execFileSync('cp', ['--sparse=always', ${image}, ${image} + '.' + event])
        } while (fs.statSync(${image}).mtimeMs !== before)
      })`
  }

  keep(name: string): void {
    execFileSync('cp', ['--sparse=always', this.#image, `${this.#image}.${name}`])
  }

  /** The server comes up with the disk of that moment. */
  comeUpAs(name: string): void {
    this.#unmount()
    this.#mount(`${this.#image}.${name}`)
  }

  #mount(image: string): void {
    execFileSync('mount', [...MOUNT, image, this.path])
    this.#mounted = true
  }

  #unmount(): void {
    if (this.#mounted) execFileSync('umount', [this.path])
    this.#mounted = false
  }
}

async function serverOnDisk() {
  const it = new Project()
  onTestFinished(() => it.remove())
  const server = await startSshd()
  onTestFinished(async () => {
    killAll(it.root)
    await server.stop()
  })
  const disk = new Disk(it.root)
  const { host, port, user, extraSshOptions } = server
  const deployTo = join(disk.path, 'app')
  const configure = (after = '', config: ShipitConfig = {}) =>
    it.configure(
      {
        ...{ servers: { host, port, user, extraSshOptions }, key: server.key, deployTo },
        ...{ keepReleases: 2, ignores: ['uploads'], ...config },
      },
      { after },
    )
  return { it, disk, deployTo, configure }
}

/** A container may be root and have no loop devices. */
function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    execFileSync('losetup', ['-f'], { stdio: 'ignore' })
    execFileSync('mkfs.ext4', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function plantRelease({ workspace }: Project): void {
  writeFileSync(join(workspace, 'large'), randomBytes(20_000_000))
  for (let index = 0; index < 300; index++)
    writeFileSync(join(workspace, `small ${index}`), `${index} ${Math.random()}`)
}

describeIf(
  sshdMissing ?? (mayMount() ? undefined : 'needs root, loop devices and mkfs.ext4'),
  'a server loses its power',
  () => {
    test.each([
      ['updated', 'file'],
      ['published', 'file'],
      ['published', 'directory'],
    ] as const)(
      'after its first deploy has %s (%s): nothing but what is whole is live',
      async (event, form) => {
        const { it, disk, deployTo, configure } = await serverOnDisk()
        nastyTree(it.workspace)
        plantRelease(it)
        configure(disk.keepAt([event]), { murder: { package: form } })
        expect(await it.run()).toMatchObject({ code: 0 })
        expect(await quiet(it.root)).toEqual([])
        disk.comeUpAs(event)
        const current = join(deployTo, 'current')
        if (event === 'published') expect(whole(current)).toEqual(whole(it.workspace))
        else expect(existsSync(current)).toBe(false)
        const agents = names(deployTo, 'shared/murder').filter((name) => /^murder-/.test(name))
        for (const name of agents)
          expect(statSync(join(deployTo, 'shared/murder', name)).size).toBeGreaterThan(0)
        configure()
        expect(await it.run()).toMatchObject({ code: 0 })
        expect(whole(current)).toEqual(whole(it.workspace))
      },
    )

    test.each(['updated', 'published', 'cleaned'])(
      'after its second deploy has %s: what is live is whole, with what was carried over',
      async (event) => {
        const { it, disk, deployTo, configure } = await serverOnDisk()
        const current = join(deployTo, 'current')
        plantRelease(it)
        configure()
        expect(await it.run()).toMatchObject({ code: 0 })
        const uploaded = randomBytes(3_000_000)
        mkdirSync(join(current, 'uploads'))
        writeFileSync(join(current, 'uploads/photo'), uploaded)
        execFileSync('sync')
        const before = readFileSync(join(it.workspace, 'large'))
        plantRelease(it)
        const now = readFileSync(join(it.workspace, 'large'))
        configure(disk.keepAt([event]))
        expect(await it.run()).toMatchObject({ code: 0 })
        expect(await quiet(it.root)).toEqual([])
        disk.comeUpAs(event)
        expect(readFileSync(join(current, 'large')).equals(event === 'updated' ? before : now)).toBe(true)
        expect(readFileSync(join(current, 'uploads/photo')).equals(uploaded)).toBe(true)
        configure()
        expect(await it.run()).toMatchObject({ code: 0 })
        expect(readFileSync(join(current, 'large')).equals(now)).toBe(true)
        expect(readFileSync(join(current, 'uploads/photo')).equals(uploaded)).toBe(true)
        expect(await it.run('rollback')).toMatchObject({ code: 0 })
      },
    )

    test.each([0.5, 1, 2, 3])(
      '%f s after its first deploy began: the next one works, nothing is locked for ever',
      async (seconds) => {
        const { it, disk, deployTo, configure } = await serverOnDisk()
        plantRelease(it)
        configure()
        const running = it.start('deploy', { MURDER_DOWNLOAD_LIMIT: '10M' })
        await running.said(/Running 'deploy:update'/)
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
        disk.keep('cut')
        running.child.kill('SIGKILL')
        await running.ended
        killAll(it.root)
        expect(await quiet(it.root)).toEqual([])
        disk.comeUpAs('cut')
        // A lock whose server was cut off lasts until it is known to be nobody's.
        expect(await it.run('murder:unlock')).toMatchObject({ code: 0 })
        expect(await it.run()).toMatchObject({ code: 0 })
        expect(whole(join(deployTo, 'current'))).toEqual(whole(it.workspace))
      },
    )
  },
)
