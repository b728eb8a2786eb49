import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { trackerPath } from '../../src/torrent/access/secret.ts'
import { embedded } from '../support/harness/deploy-embedded.ts'
import { nastyTree } from '../support/harness/nasty-tree.ts'
import { survey } from '../unit/package/trees.ts'

const MARK = 'the content of this release'

/** What can be seen from outside while something runs: argument lists, and what others may read of files. */
class Watcher {
  readonly lists = new Set<string>()
  readonly readable = new Set<string>()
  readonly secrets = new Set<string>()
  readonly marked = new Set<string>()
  private stopped = false
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      this.look()
      await delay(15)
    }
  }

  stop(): void {
    this.look()
    this.stopped = true
  }

  private look(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const list = read(`/proc/${pid}/cmdline`)
      if (list?.includes('murder') || list?.includes(this.root)) this.lists.add(list)
    }
    for (const path of filesBelow(join(this.root, 'tmp'))) {
      if (path.endsWith('/secret')) this.secrets.add(read(path) ?? '')
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat && (stat.mode & 0o077) !== 0) this.readable.add(path)
    }
    for (const path of filesBelow(join(this.root, 'fleet'))) {
      if (path.endsWith('/package') && read(path)?.includes(MARK)) this.marked.add(path)
    }
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return [] // it went away meanwhile
  }
}

describe('the secrets of a deploy', () => {
  test.each([false, true])(
    'are on no argument list, in no log and in no file for others; encrypt: %s',
    async (encrypt) => {
      const { project, app, current, leftovers, configure } = await embedded(2)
      configure({ murder: { encrypt, tracker: { port: project.trackerPort }, compression: 'none' } as never })
      nastyTree(project.workspace)
      writeFileSync(join(project.workspace, 'marked'), MARK.repeat(200_000))
      const watcher = new Watcher(project.root)
      const watching = watcher.run()
      const run = await project.run()
      watcher.stop()
      await watching
      expect(run).toMatchObject({ code: 0 })
      const [secret] = watcher.secrets
      expect([...watcher.secrets].filter(Boolean)).toHaveLength(1)
      const seen = [run.stdout, run.stderr, ...watcher.lists].join('\n')
      for (const word of [secret ?? '', trackerPath(secret ?? '')]) expect(seen).not.toContain(word)
      expect([...watcher.lists].some((list) => list.includes('--secret-file'))).toBe(true)
      expect([...watcher.readable]).toEqual([])
      if (encrypt) expect([...watcher.marked]).toEqual([])
      for (const file of filesBelow(project.root)) {
        const text = read(file)
        for (const word of [secret ?? '', trackerPath(secret ?? '')])
          expect(text?.includes(word), file).not.toBe(true)
      }
      const [release = ''] = current()
      for (const index of [0, 1])
        expect(survey(realpathSync(join(app(index), release)))).toEqual(
          survey(realpathSync(project.workspace)),
        )
      expect(leftovers()).toEqual([])
    },
  )
})

describe('names that a shell would obey', () => {
  test.each([
    '$(touch pwned)',
    '`touch$IFS/pwned`',
    'a;touch pwned',
    '--upload-pack=touch pwned',
    'a\ntouch pwned',
  ])('the branch %j is refused before anything runs', async (branch) => {
    const { project, configure } = await embedded(1)
    const repository = join(project.root, 'repository')
    execFileSync('git', ['init', '-q', '-b', 'main', repository])
    configure({ repositoryUrl: repository, branch, keepWorkspace: false, shallowClone: true })
    const run = await project.run()
    expect(run.code).toBe(2)
    expect(run.stdout + run.stderr).toContain('which a shell would not take as it is')
    expect(existsSync(join(project.directory, 'pwned')) || existsSync(join(repository, 'pwned'))).toBe(false)
  })

  test('a directory is only a name, here and on the servers', async () => {
    const { project, fleet, current, configure } = await embedded(1)
    const name = 'a $(touch pwned) `touch pwned` "; touch pwned; \' x'
    writeFileSync(join(project.workspace, name), 'content')
    configure({ deployTo: join(fleet.home, name) })
    const run = await project.run()
    expect(run).toMatchObject({ code: 0 })
    const home = fleet.servers[0]?.home ?? ''
    expect(readdirSync(join(home, name, 'releases'))).toHaveLength(1)
    expect(current()).toEqual([undefined])
    const all = readdirSync(project.root, { recursive: true }) as string[]
    expect(all.filter((path) => path.endsWith('/pwned'))).toEqual([])
  })
})
