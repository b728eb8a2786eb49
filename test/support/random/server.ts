import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { contentOf, difference, type Files, readFiles } from './content.ts'
import { ServerModel } from './model.ts'

export const KEPT_RELEASES = 3
/** What a release keeps of the one before: people put these into the live release by hand. */
export const KEPT_PATHS = ['.env', 'node_modules/dependency/index.js']
export const IGNORES = ['/.env', '/node_modules', '/mnt']

/** What is in `deployTo` besides ours, and nobody may touch. */
const FOREIGN: Files = new Map([
  ['releases/initial/index.html', 'made by hand'],
  ['releases/20250101000000.bak/file', 'a backup'],
  ['releases/lost+found/#123', 'found'],
  ['releases/v0/file', 'no name of ours'],
  ['releases/.hidden/file', 'hidden'],
  ['releases/notes.txt', 'a file'],
  ['releases/latest', '-> initial'],
  ['releases/20240101000000', '-> initial'],
  ['shared/uploads/picture', 'uploaded'],
  ['shared/murder/tmp/of somebody/file', 'in our temporary directory'],
  ['shared/murder/notes', 'beside the lock'],
  ['notes', 'in deployTo'],
  ['behind/file', 'behind a mount'],
])

const LINE =
  /^\d{4}-\d\d-\d\dT[\d:.]+Z\t(receiving|failed|brought|live|was-live|rolled-back-from|found|reverted)\t[^\t]+\t[^\t]+$/

/** One server: what is there, and what must be. Throws what is wrong. */
export class RandomServer {
  readonly model = new ServerModel()
  /** What was put into releases by hand. */
  readonly byHand = new Map<string, Files>()
  readonly mounts: string[] = []
  readonly app: string

  constructor(app: string) {
    this.app = app
    for (const [name, content] of FOREIGN) {
      mkdirSync(dirname(join(app, name)), { recursive: true })
      if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(app, name))
      else writeFileSync(join(app, name), content)
    }
  }

  get current(): string | undefined {
    try {
      return readlinkSync(join(this.app, 'current')).replace(/^releases\//, '')
    } catch {
      return undefined
    }
  }

  /** Directories that are ours to judge. */
  get releases(): string[] {
    const all = readdirSync(join(this.app, 'releases'))
    return all.filter((name) => !name.startsWith('.') && !this.#isForeign(name)).sort()
  }

  /** Of a release that is there; -1 where that is not to be told. */
  versionOf(release: string): number {
    const file = join(this.app, 'releases', release, 'version')
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : -1
  }

  /** What a release that is made now keeps of the live one. */
  keeps(): Files {
    const hand = this.byHand.get(this.model.live ?? '') ?? new Map()
    return new Map([...hand].filter(([path]) => KEPT_PATHS.includes(path)))
  }

  /** Brings the model up to date with what cleaning has removed, and compares all that is there with it. */
  check({ isBlurred }: { isBlurred: boolean }): void {
    const foreign = [...FOREIGN.keys()].map((path) => [path, readOne(join(this.app, path))] as const)
    for (const [path, content] of foreign)
      if (content !== FOREIGN.get(path)) throw new Error(`${path} is not ours and has become ${content}`)
    if (this.current !== this.model.live)
      throw new Error(`current is ${this.current}, and should be ${this.model.live}`)
    const there = this.releases
    const gone = this.model.known.filter((name) => !there.includes(name))
    this.model.removed(gone, KEPT_RELEASES)
    for (const release of there) this.#checkRelease(release)
    this.#checkHistory(isBlurred)
  }

  #isForeign(name: string): boolean {
    return [...FOREIGN.keys()].some(
      (path) => path === `releases/${name}` || path.startsWith(`releases/${name}/`),
    )
  }

  #checkRelease(release: string): void {
    const found = readFiles(join(this.app, 'releases', release))
    for (const path of [...found.keys()]) if (path.startsWith('mnt/')) found.delete(path)
    found.delete('REVISION') // Only shipit-deploy alone makes one here.
    const wanted = new Map(contentOf(this.versionOf(release)))
    if (this.model.known.includes(release))
      for (const [path, content] of this.byHand.get(release) ?? []) wanted.set(path, content)
    else for (const path of KEPT_PATHS) found.delete(path)
    const wrong = difference(found, wanted)
    if (wrong) throw new Error(`releases/${release} ${wrong}`)
  }

  #checkHistory(isBlurred: boolean): void {
    const file = join(this.app, '.murder-history')
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const lines = text.split('\n').slice(0, -1)
    const bad =
      lines.find((line) => !LINE.test(line)) ??
      (text.endsWith('\n') || text === '' ? undefined : text.slice(-80))
    if (bad !== undefined) throw new Error(`a line of the history is ${JSON.stringify(bad)}`)
    const lastLive = lines.findLast((line) => line.includes('\tlive\t'))?.split('\t')[2]
    if (!isBlurred && lastLive !== this.model.live)
      throw new Error(`the history says that ${lastLive} is live, which is ${this.model.live}`)
    const named = new Set(lines.map((line) => line.split('\t')[2]))
    const unnamed = this.model.known.find((name) => !named.has(name) && !isBlurred)
    if (unnamed !== undefined) throw new Error(`the history does not name ${unnamed}`)
  }

  /** What a deploy should have tidied, also when others have left it. */
  leftovers(): string[] {
    const stuck = new Set(this.mounts)
    return [
      ...readdirSync(join(this.app, 'releases')).filter((name) => /^\..*\.(partial|removed)$/.test(name)),
      ...this.releases.filter((name) => !this.model.known.includes(name) && !stuck.has(name)),
      ...readdirSync(join(this.app, 'shared/murder/tmp')).filter((name) => name !== 'of somebody'),
      ...readdirSync(join(this.app, 'shared/murder')).filter((name) => /^lock/.test(name)),
      ...readdirSync(this.app).filter((name) => /^\.(current|murder-history\.)/.test(name)),
    ]
  }
}

function readOne(path: string): string {
  try {
    return lstatSync(path).isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, 'utf8')
  } catch (error) {
    return String(error)
  }
}
