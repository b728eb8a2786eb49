import { contextOf } from '../deploy/context/context.ts'
import { removeShallowClones } from '../deploy/context/shallow-clone.ts'
import { deployRelease } from '../deploy/deploy-release.ts'
import { tryClean, tryDeploy, tryPublish, tryRollback } from '../deploy/dry-run.ts'
import { notify } from '../deploy/outcome/notify.ts'
import { deployToOf } from '../deploy/paths/places.ts'
import { askAndLock } from '../deploy/preflight/ask.ts'
import { nothingToPublish } from '../deploy/releases/choose/check-release-name.ts'
import { forgetBroughtBefore } from '../deploy/releases/choose/last-brought.ts'
import { cleanReleases } from '../deploy/releases/clean-releases.ts'
import { findRelease, preparePublishing, releaseOf } from '../deploy/releases/prepare-publishing.ts'
import { prepareRollback } from '../deploy/releases/rollback.ts'
import { tellStaged } from '../deploy/releases/staged.ts'
import { tellReverted } from '../deploy/releases/tell-reverted.ts'
import { prepareResume } from '../deploy/rollout/resume.ts'
import { rollOut } from '../deploy/rollout/rollout.ts'
import { checkShellValues } from '../deploy/transfer/workspace/shell-values.ts'
import type { Outcome } from '../fleet/command.ts'
import type { Shipit, TaskFailure } from '../shipit.ts'
import { refuseBoth } from './one-at-a-time.ts'
import { type RunFacts, RunFrame } from './run-frame.ts'
import type { Work } from './task.ts'

/** One deploy or rollback, from its first task to the end of the call. Each method is one task; a dry run has its own methods. */
export class DeployRun {
  readonly #shipit: Shipit
  readonly #facts: RunFacts = { isPublished: false }
  readonly #frame: RunFrame
  /** The servers' answers. Asking also locks them. */
  #asked: Promise<Outcome[]> | undefined
  /** The release that deploy:update has brought. */
  #updated: string | undefined
  #isReverted = false
  /** Shows the report at the end of the run, once. */
  #showReport: (() => void) | undefined

  readonly #onPublished = () => {
    if (this.#isReverted) return
    this.#facts.isPublished = true
    this.#showReport?.()
  }

  constructor(shipit: Shipit) {
    this.#shipit = shipit
    this.#frame = new RunFrame(shipit, this.#facts, new Set([this.#onPublished]))
    shipit.on('task_err', ({ err }: TaskFailure) => this.#frame.end(err ?? new Error('a task failed')))
    shipit.on('published', this.#onPublished)
    shipit.on('stop', () => {
      this.#frame.end()
      this.#showReport?.()
    })
  }

  /** `original`: the task of shipit-deploy. The servers answer while git fetches. */
  async init(original: Work): Promise<void> {
    const context = contextOf(this.#shipit) // First, so that wrong settings are reported in our words.
    refuseBoth(this.#shipit)
    checkShellValues(this.#shipit)
    this.#frame.begin(context, 'is being deployed')
    await original()
    this.#asked = askAndLock(context)
    this.#asked.catch(() => {}) // update() awaits this. Fetching may fail before that.
  }

  async update(): Promise<void> {
    const shipit = this.#shipit
    nameDirectories(shipit)
    const context = contextOf(shipit)
    const board = context.display.board()
    const begun = performance.now()
    const deploy = () => context.interrupt.during(() => deployRelease(context, this.#asked))
    const done = await this.nameRelease('deploy:update', deploy)
    removeShallowClones(shipit)
    this.#updated = shipit.releaseDirname
    this.#facts.report = done
    this.#showReport = () => {
      const seconds = (performance.now() - begun) / 1000
      this.#facts.report = { ...done, seconds }
      board.report({ ...this.#facts.report, records: context.record.servers })
      this.#showReport = undefined
    }
    context.display.finish()
    if (context.staging) tellStaged(context)
    else shipit.emit('updated')
  }

  async tryUpdate(): Promise<void> {
    const context = contextOf(this.#shipit)
    await this.nameRelease('deploy:update', () => context.interrupt.during(() => tryDeploy(context)))
    removeShallowClones(this.#shipit)
  }

  async publish(): Promise<void> {
    const shipit = this.#shipit
    nameDirectories(shipit)
    const context = contextOf(shipit)
    await this.#ensureRelease(async () => {
      const wanted = releaseOf(context)
      this.#frame.begin(context, 'is being deployed')
      await this.#asked?.catch(() => {}) // A deploy:init of this call still locks the servers.
      await context.interrupt.during(() => preparePublishing(context, wanted))
      context.display.finish()
    })
    const release = shipit.releaseDirname ?? ''
    this.#facts.tried = release
    shipit.log(`Publishing release "${shipit.releasePath}"`)
    const begun = performance.now()
    const isRollback = context.resumed?.isRollback ?? this.#facts.namedBy?.task === 'rollback:init'
    await context.interrupt.during(() =>
      rollOut(context, {
        release,
        isNew: context.resumed?.isNew ?? release === this.#updated,
        isRollback,
        onReverted: (before, how) => {
          this.#isReverted = true
          notify(context, 'reverted', { release })
          return tellReverted(context, before, how)
        },
      }),
    )
    context.record.phases.publish = (performance.now() - begun) / 1000
    forgetBroughtBefore(shipit, release)
    shipit.log('Release published.')
    notify(context, isRollback ? 'rolledBack' : 'published')
    shipit.emit('published')
  }

  async tryPublish(): Promise<void> {
    const context = contextOf(this.#shipit)
    await this.#ensureRelease(() =>
      context.interrupt.during(() => findRelease(context, releaseOf(context), 'nothing would be published')),
    )
    tryPublish(context)
  }

  async clean(): Promise<void> {
    nameDirectories(this.#shipit)
    const context = contextOf(this.#shipit)
    await this.#asked?.catch(() => {}) // A deploy:init of this call still locks the servers.
    await context.interrupt.during(() => cleanReleases(context))
    this.#shipit.emit('cleaned')
  }

  tryClean(): Promise<void> {
    return tryClean(contextOf(this.#shipit))
  }

  async rollback(): Promise<void> {
    const context = contextOf(this.#shipit)
    refuseBoth(this.#shipit)
    this.#frame.begin(context, 'is being rolled back')
    nameDirectories(this.#shipit)
    await this.nameRelease('rollback:init', () => context.interrupt.during(() => prepareRollback(context)))
    this.#shipit.emit('rollback')
  }

  /** Makes the following tasks continue a rollout. */
  async resume(): Promise<void> {
    const context = contextOf(this.#shipit)
    this.#frame.begin(context, 'a rollout goes on')
    nameDirectories(this.#shipit)
    await this.nameRelease('murder:resume', () => context.interrupt.during(() => prepareResume(context)))
    context.display.finish()
  }

  tryRollback(): Promise<void> {
    const context = contextOf(this.#shipit)
    return this.nameRelease('rollback:init', () => context.interrupt.during(() => tryRollback(context)))
  }

  /** Work of a task that names the release for deploy:publish. */
  async nameRelease<T>(task: string, work: () => Promise<T>): Promise<T> {
    this.#facts.namedBy = { task, isDone: false }
    const result = await work()
    this.#facts.namedBy = { task, isDone: true }
    return result
  }

  /**
   * When no task of this call names a release, `find` looks for one that single steps have brought, or that the shipitfile names.
   * It is not asked when a task should have named one and failed. Throws NOTHING_TO_PUBLISH.
   */
  async #ensureRelease(find: () => Promise<void>): Promise<void> {
    if (this.#facts.namedBy === undefined) return this.nameRelease('deploy:publish', find)
    if (this.#facts.namedBy.isDone) return
    throw nothingToPublish(`${this.#facts.namedBy.task} has failed`, 'what it said above tells what to do')
  }
}

/** Sets the fields that every task of shipit-deploy sets first. */
function nameDirectories(shipit: Shipit): void {
  const deployTo = deployToOf(shipit)
  shipit.currentPath ??= `${deployTo}/current`
  shipit.releasesPath ??= `${deployTo}/releases`
}
