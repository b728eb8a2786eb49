import type { Outcome } from '../remote/fleet.ts'
import type { DeployReport } from '../report/index.ts'
import type { Shipit } from '../shipit.ts'
import { ask } from '../steps/check.ts'
import { contextOf } from '../steps/context.ts'
import { deployRelease } from '../steps/deploy.ts'
import { removeShallowClone } from '../steps/shallow-clone.ts'
import { type Registration, task } from './task.ts'

/**
 * `deploy:init` also asks the servers while git fetches; `deploy:update` becomes the plugin's. The other tasks stay
 * shipit-deploy's, and find everything where its own `deploy:update` would have left it.
 */
export const registerDeploy: Registration = (shipit) => {
  let asked: Promise<Outcome[]> | undefined
  let report: (() => void) | undefined
  const init = shipit.tasks['deploy:init']?.fn as (() => unknown) | undefined

  task(shipit, 'deploy:init', async () => {
    const context = contextOf(shipit) // first, so that what is wrong with the settings is said in our words
    await init?.()
    asked = ask(context)
    asked.catch(() => {}) // deploy:update awaits it; fetching may fail before
  })

  task(shipit, 'deploy:update', async () => {
    prepare(shipit)
    const context = contextOf(shipit)
    const board = context.board()
    const begun = performance.now()
    let done: DeployReport
    try {
      done = await context.during(() => deployRelease(context, asked))
    } finally {
      removeShallowClone(shipit)
    }
    report = () => {
      const seconds = (performance.now() - begun) / 1000
      board.report({ ...withPublish(done, seconds), seconds })
      report = undefined
    }
    context.finishBoard()
    shipit.emit('updated')
  })

  shipit.on('published', () => report?.())
  shipit.on('stop', () => report?.())
}

/** Time since the other phases ended. */
function withPublish(done: DeployReport, seconds: number): DeployReport {
  const before = Object.values(done.phases).reduce((sum, phase) => sum + phase, 0)
  return { ...done, phases: { ...done.phases, publish: Math.max(0, seconds - before) } }
}

/** What shipit-deploy's tasks do first. */
function prepare(shipit: Shipit): void {
  const { deployTo = '' } = shipit.config
  shipit.currentPath ??= `${deployTo}/current`
  shipit.releasesPath ??= `${deployTo}/releases`
}
