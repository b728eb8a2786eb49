import type { DeployReport } from '../report/index.ts'
import type { Shipit, TaskFailure } from '../shipit.ts'
import type { Context } from '../steps/context.ts'
import { saveLastRun } from '../steps/last-run.ts'
import { runReport, tellDone, writeReport } from '../steps/run-report.ts'

/** One deploy or rollback, from its first task to the end of the call: what is written about it when it is over. */
export class Run {
  report: DeployReport | undefined
  #begun: { context: Context; at: Date } | undefined

  constructor(shipit: Shipit) {
    shipit.on('task_err', ({ err }: TaskFailure) => this.#end(err ?? new Error('a task failed')))
    shipit.on('stop', () => this.#end())
  }

  begin(context: Context): void {
    context.log.begin()
    this.#begun ??= { context, at: new Date() }
  }

  #end(error?: unknown): void {
    if (!this.#begun) return
    const { context, at } = this.#begun
    this.#begun = undefined
    const { report } = this
    const done = runReport(context, at, { error, ...(report === undefined ? {} : { report }) })
    writeReport(context, done)
    saveLastRun(context, done)
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
