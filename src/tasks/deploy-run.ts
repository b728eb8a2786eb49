import { type Context, contextOf } from '../deploy/context/context.ts'
import { startPage } from '../deploy/context/live-page.ts'
import { checkOwnDeployTo } from '../deploy/context/servers/own-deploy-to.ts'
import { removeShallowClones } from '../deploy/context/shallow-clone.ts'
import { deployRelease } from '../deploy/deploy-release.ts'
import { tryClean, tryDeploy, tryPublish, tryRollback } from '../deploy/dry-run.ts'
import { type LastRun, saveLastRun } from '../deploy/outcome/last-run.ts'
import { notify } from '../deploy/outcome/notify.ts'
import { runReport } from '../deploy/outcome/run-report.ts'
import { endPicture, savePicture } from '../deploy/outcome/save-picture.ts'
import { sendTrace } from '../deploy/outcome/send-trace.ts'
import { writeReport } from '../deploy/outcome/write-report.ts'
import { deployToOf } from '../deploy/paths/places.ts'
import { askAndLock } from '../deploy/preflight/ask.ts'
import { nothingToPublish } from '../deploy/releases/choose/check-release-name.ts'
import { forgetBroughtBefore } from '../deploy/releases/choose/last-brought.ts'
import { cleanReleases } from '../deploy/releases/clean-releases.ts'
import { findRelease, preparePublishing, releaseOf } from '../deploy/releases/prepare-publishing.ts'
import { prepareRollback } from '../deploy/releases/rollback.ts'
import { tellStaged } from '../deploy/releases/staged.ts'
import { tellReverted } from '../deploy/releases/tell-reverted.ts'
import { checkPause } from '../deploy/rollout/pause.ts'
import { prepareResume } from '../deploy/rollout/resume.ts'
import { rollOut } from '../deploy/rollout/rollout.ts'
import { checkShellValues } from '../deploy/transfer/workspace/shell-values.ts'
import { ExitCode, explain, MurderError } from '../errors.ts'
import type { Outcome } from '../fleet/command.ts'
import type { PageServer } from '../page/serve/page-server.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import type { Shipit, TaskFailure } from '../shipit.ts'
import { watchExit } from './exit-code.ts'
import { refuseBesideStaging, refuseBoth } from './one-at-a-time.ts'
import type { Work } from './task.ts'

/** The kind of a run that is not a deploy, by the task that names its release. */
const KINDS: Record<string, LastRun['kind']> = { 'deploy:publish': 'alone', 'rollback:init': 'rollback' }
/** Tasks that only publish: where they change nothing, the last deploy is still the one before. */
const ONLY_PUBLISHING = ['deploy:publish', 'murder:resume']

/** One deploy or rollback, from its first task to the end of the call. Each method is one task; a dry run has its own methods. */
export class DeployRun {
  readonly #shipit: Shipit
  #begun: { context: Context; at: Date } | undefined
  /** The servers' answers. Asking also locks them. */
  #asked: Promise<Outcome[]> | undefined
  /** The task that names the release for deploy:publish, once it has begun. */
  #namedBy: { task: string; isDone: boolean } | undefined
  /** The release that deploy:update has brought. */
  #updated: string | undefined
  #report: DeployReport | undefined
  #page: PageServer | undefined
  /** The release whose publishing has begun. */
  #tried: string | undefined
  #isPublished = false
  #isReverted = false
  /** Shows the report at the end of the run, once. */
  #showReport: (() => void) | undefined

  readonly #onPublished = () => {
    if (this.#isReverted) return
    this.#isPublished = true
    this.#showReport?.()
  }

  constructor(shipit: Shipit) {
    this.#shipit = shipit
    shipit.on('task_err', ({ err }: TaskFailure) => this.#end(err ?? new Error('a task failed')))
    shipit.on('published', this.#onPublished)
    shipit.on('stop', () => {
      this.#end()
      this.#showReport?.()
    })
  }

  /** `original`: the task of shipit-deploy. The servers answer while git fetches. */
  async init(original: Work): Promise<void> {
    const context = contextOf(this.#shipit) // First, so that wrong settings are reported in our words.
    refuseBoth(this.#shipit)
    checkShellValues(this.#shipit)
    await this.#begin(context)
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
    this.#report = done
    this.#showReport = () => {
      const seconds = (performance.now() - begun) / 1000
      this.#report = { ...done, seconds }
      board.report({ ...this.#report, records: context.record.servers })
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
      await this.#begin(context)
      await this.#asked?.catch(() => {}) // A deploy:init of this call still locks the servers.
      await context.interrupt.during(() => preparePublishing(context, wanted))
      context.display.finish()
    })
    const release = shipit.releaseDirname ?? ''
    this.#tried = release
    shipit.log(`Publishing release "${shipit.releasePath}"`)
    const begun = performance.now()
    const isRollback = context.resumed?.isRollback ?? this.#namedBy?.task === 'rollback:init'
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
    await this.#begin(context, 'is being rolled back')
    nameDirectories(this.#shipit)
    await this.nameRelease('rollback:init', () => context.interrupt.during(() => prepareRollback(context)))
    this.#shipit.emit('rollback')
  }

  /** Makes the following tasks continue a rollout. */
  async resume(): Promise<void> {
    const context = contextOf(this.#shipit)
    await this.#begin(context, 'a rollout goes on')
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
    this.#namedBy = { task, isDone: false }
    const result = await work()
    this.#namedBy = { task, isDone: true }
    return result
  }

  /**
   * When no task of this call names a release, `find` looks for one that single steps have brought, or that the shipitfile names.
   * It is not asked when a task should have named one and failed. Throws NOTHING_TO_PUBLISH.
   */
  async #ensureRelease(find: () => Promise<void>): Promise<void> {
    if (this.#namedBy === undefined) return this.nameRelease('deploy:publish', find)
    if (this.#namedBy.isDone) return
    throw nothingToPublish(`${this.#namedBy.task} has failed`, 'what it said above tells what to do')
  }

  async #begin(context: Context, doing = 'is being deployed'): Promise<void> {
    context.log.begin()
    if (this.#begun) return
    if (!context.staging) {
      refuseBesideStaging(this.#shipit)
      checkPause(context)
    }
    checkOwnDeployTo(context, new Set([this.#onPublished]))
    this.#begun = { context, at: new Date() }
    watchExit((code) => this.#endWithProcess(code))
    if (!context.staging) notify(context, 'started', { doing })
    // Nothing waits for it: what serves it is loaded while the servers are asked.
    void startPage(context).then((page) => {
      this.#page = page
      if (!this.#begun) page?.end()
    })
  }

  /** Another plugin may end the process while it handles an event of the deploy. Returns the exit code. */
  #endWithProcess(code: number): number {
    if (!this.#begun || (this.#isPublished && code === ExitCode.done)) {
      this.#end()
      return code
    }
    const error = endedEarly(code)
    if (code !== ExitCode.interrupted) process.stderr.write(`${explain(error)}\n`)
    this.#end(error)
    return error.exitCode
  }

  #end(error?: unknown): void {
    if (!this.#begun) return
    const { context, at } = this.#begun
    this.#begun = undefined
    const release = this.#tried ?? this.#shipit.releaseDirname
    if (error !== undefined && !context.staging) notify(context, 'failed', { error, release })
    const done = runReport(context, at, error, this.#report, release)
    endPicture(context, done)
    this.#page?.end()
    const told = context.log.redactedValue(done)
    writeReport(this.#shipit, told)
    sendTrace(this.#shipit, told, context.record.timeline)
    const { task = '' } = this.#namedBy ?? {}
    const kind = context.resumed?.isRollback ? 'rollback' : KINDS[task]
    const hasBegun = context.resumed !== undefined || task !== 'murder:resume'
    savePicture(context, { ...done, isDeploy: kind === undefined && hasBegun })
    // A retry that has published nothing leaves what is to be retried.
    const isKept = context.again !== undefined || ONLY_PUBLISHING.includes(task)
    if (!context.staging && (done.published || !isKept)) saveLastRun(context, done, kind)
    context.log.line(`report ${JSON.stringify(done)}`)
    if (error === undefined && !context.staging) this.#shipit.emit('murder:done', done)
  }
}

const endedEarly = (code: number): MurderError =>
  new MurderError('ENDED_EARLY', 'The process was ended before the deploy was done', {
    exitCode: code || ExitCode.failed,
    cure: 'see what is said above: another plugin, or a listener of the shipitfile, calls process.exit() or waits for what never comes',
  })

/** Sets the fields that every task of shipit-deploy sets first. */
function nameDirectories(shipit: Shipit): void {
  const deployTo = deployToOf(shipit)
  shipit.currentPath ??= `${deployTo}/current`
  shipit.releasesPath ??= `${deployTo}/releases`
}
