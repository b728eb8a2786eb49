import type { Context } from '../deploy/context/context.ts'
import { startPage } from '../deploy/context/live-page.ts'
import { checkOwnDeployTo } from '../deploy/context/servers/own-deploy-to.ts'
import { type LastRun, saveLastRun } from '../deploy/outcome/last-run.ts'
import { notify } from '../deploy/outcome/notify.ts'
import { runReport } from '../deploy/outcome/run-report.ts'
import { endPicture, savePicture } from '../deploy/outcome/save-picture.ts'
import { sendTrace } from '../deploy/outcome/send-trace.ts'
import { writeReport } from '../deploy/outcome/write-report.ts'
import { checkPause } from '../deploy/rollout/pause.ts'
import { ExitCode, explain, MurderError } from '../errors.ts'
import type { PageServer } from '../page/serve/page-server.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import type { Shipit } from '../shipit.ts'
import { watchExit } from './exit-code.ts'
import { refuseBesideStaging } from './one-at-a-time.ts'

/** The kind of a run that is not a deploy, by the task that names its release. */
const KINDS: Record<string, LastRun['kind']> = { 'deploy:publish': 'alone', 'rollback:init': 'rollback' }
/** Tasks that only publish: where they change nothing, the last deploy is still the one before. */
const ONLY_PUBLISHING = ['deploy:publish', 'murder:resume']

/** What the tasks of a run have done so far, for its report. */
export interface RunFacts {
  /** The task that names the release for deploy:publish, once it has begun. */
  namedBy?: { task: string; isDone: boolean }
  report?: DeployReport
  /** The release whose publishing has begun. */
  tried?: string
  isPublished: boolean
}

/** The begin of a run, and its end, however it ends: checks, page and notices; then the report, for people and programs. */
export class RunFrame {
  readonly #shipit: Shipit
  readonly #facts: Readonly<RunFacts>
  readonly #ownListeners: ReadonlySet<unknown>
  #begun: { context: Context; at: Date } | undefined
  #page: PageServer | undefined

  /** `ownListeners`: those of the run itself, which are no plugin's. */
  constructor(shipit: Shipit, facts: Readonly<RunFacts>, ownListeners: ReadonlySet<unknown>) {
    this.#shipit = shipit
    this.#facts = facts
    this.#ownListeners = ownListeners
  }

  /** Harmless when repeated: each task begins the run. */
  begin(context: Context, doing: string): void {
    context.log.begin()
    if (this.#begun) return
    if (!context.staging) {
      refuseBesideStaging(this.#shipit)
      checkPause(context)
    }
    checkOwnDeployTo(context, this.#ownListeners)
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
    if (!this.#begun || (this.#facts.isPublished && code === ExitCode.done)) {
      this.end()
      return code
    }
    const error = endedEarly(code)
    if (code !== ExitCode.interrupted) process.stderr.write(`${explain(error)}\n`)
    this.end(error)
    return error.exitCode
  }

  end(error?: unknown): void {
    if (!this.#begun) return
    const { context, at } = this.#begun
    this.#begun = undefined
    const { namedBy, report, tried } = this.#facts
    const release = tried ?? this.#shipit.releaseDirname
    if (error !== undefined && !context.staging) notify(context, 'failed', { error, release })
    const done = runReport(context, at, error, report, release)
    endPicture(context, done)
    this.#page?.end()
    const told = context.log.redactedValue(done)
    writeReport(this.#shipit, told)
    sendTrace(this.#shipit, told, context.record.timeline)
    const { task = '' } = namedBy ?? {}
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
