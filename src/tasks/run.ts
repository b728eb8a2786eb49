import type { Context } from '../deploy/context/context.ts'
import { saveLastRun } from '../deploy/outcome/last-run.ts'
import { runReport, tellDone, writeReport } from '../deploy/outcome/run-report.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import type { Shipit, TaskFailure } from '../shipit.ts'

/** One deploy or rollback, from its first task to the end of the call: what is written about it when it is over. */
export class Run {
  report: DeployReport | undefined
  /** The task that names the release for deploy:publish, once it has begun. */
  chooser: { task: string; done: boolean } | undefined
  #begun: { context: Context; at: Date } | undefined

  constructor(shipit: Shipit) {
    shipit.on('task_err', ({ err }: TaskFailure) => this.#end(err ?? new Error('a task failed')))
    shipit.on('stop', () => this.#end())
  }

  begin(context: Context): void {
    context.log.begin()
    this.#begun ??= { context, at: new Date() }
  }

  /** Work that names the release which deploy:publish then publishes. */
  async choose<T>(task: string, work: () => Promise<T>): Promise<T> {
    this.chooser = { task, done: false }
    const result = await work()
    this.chooser = { task, done: true }
    return result
  }

  #end(error?: unknown): void {
    if (!this.#begun) return
    const { context, at } = this.#begun
    this.#begun = undefined
    const { report } = this
    const done = runReport(context, at, { error, ...(report === undefined ? {} : { report }) })
    writeReport(context, done)
    const alone = this.chooser?.task === 'deploy:publish'
    // Where nothing was changed the deploy before is still the last one.
    if (!alone || done.published) saveLastRun(context, done, { alone })
    context.log.line(`report ${JSON.stringify(done)}`)
    if (error === undefined) tellDone(context, done)
  }
}

const runs = new WeakMap<Shipit, Run>()

export function runOf(shipit: Shipit): Run {
  const run = runs.get(shipit) ?? new Run(shipit)
  runs.set(shipit, run)
  return run
}
