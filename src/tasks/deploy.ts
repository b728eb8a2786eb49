import { contextOf } from '../deploy/context/context.ts'
import { removeShallowClones, watchShallowClones } from '../deploy/context/shallow-clone.ts'
import { deployRelease } from '../deploy/deploy-release.ts'
import { tryClean, tryDeploy, tryPublish } from '../deploy/dry-run.ts'
import { askAndLock } from '../deploy/preflight/ask.ts'
import { forgetBroughtBefore } from '../deploy/releases/brought.ts'

import { cleanReleases } from '../deploy/releases/clean-releases.ts'
import { publish } from '../deploy/releases/publish.ts'
import { lookAt, preparePublishing, wantedHere } from '../deploy/releases/publishable.ts'
import { nothingToPublish } from '../deploy/releases/release-name.ts'
import { checkShellValues } from '../deploy/transfer/shell-values.ts'
import { explain, MurderError } from '../errors.ts'
import type { Outcome } from '../fleet/fleet.ts'
import type { DeployReport } from '../report/deploy-report.ts'
import type { Shipit } from '../shipit.ts'
import { type Run, runOf } from './run.ts'
import { type Registration, task } from './task.ts'

/**
 * `deploy:init` also asks the servers while git fetches; `deploy:update`, `deploy:publish` and `deploy:clean` become the
 * plugin's. What stops `deploy:fetch` is said without a stack trace. The other tasks stay shipit-deploy's, and find everything where its own would have left it.
 */
export const registerDeploy: Registration = (shipit) => {
  let asked: Promise<Outcome[]> | undefined
  let report: (() => void) | undefined
  let updated: string | undefined
  const run = runOf(shipit)
  const init = shipit.tasks['deploy:init']?.fn as (() => unknown) | undefined

  const begin = async () => {
    const context = contextOf(shipit) // first, so that what is wrong with the settings is said in our words
    checkShellValues(shipit)
    run.begin(context)
    await init?.()
    asked = askAndLock(context)
    asked.catch(() => {}) // deploy:update awaits it; fetching may fail before
  }
  task(shipit, 'deploy:init', begin, () => init?.() as Promise<void>)

  watchShallowClones(shipit)
  const fetch = shipit.tasks['deploy:fetch']?.fn as (() => unknown) | undefined
  const fetchPlainly = async () => {
    try {
      await fetch?.()
    } catch (error) {
      throw new MurderError('FETCH_FAILED', explain(error), { cause: error })
    }
  }
  task(shipit, 'deploy:fetch', fetchPlainly, 'same')

  const update = async () => {
    nameDirectories(shipit)
    const context = contextOf(shipit)
    const board = context.board()
    const begun = performance.now()
    const done = await run.choose('deploy:update', () => context.during(() => deployRelease(context, asked)))
    removeShallowClones(shipit)
    updated = shipit.releaseDirname
    run.report = done
    report = () => {
      const seconds = (performance.now() - begun) / 1000
      run.report = { ...withPublish(done, seconds), seconds }
      board.report({ ...run.report, records: context.record.servers })
      report = undefined
    }
    context.finishBoard()
    shipit.emit('updated')
  }
  task(shipit, 'deploy:update', update, async () => {
    const context = contextOf(shipit)
    await run.choose('deploy:update', () => context.during(() => tryDeploy(context)))
    removeShallowClones(shipit)
  })

  const change = async () => {
    nameDirectories(shipit)
    const context = contextOf(shipit)
    await chosen(run, async () => {
      const wanted = wantedHere(context)
      run.begin(context)
      await asked?.catch(() => {}) // a deploy:init of this call still locks the servers
      await context.during(() => preparePublishing(context, wanted))
      context.finishBoard()
    })
    const release = shipit.releaseDirname ?? ''
    shipit.log(`Publishing release "${shipit.releasePath}"`)
    await context.during(() => publish(context, { release, isNew: release === updated }))
    forgetBroughtBefore(context, release)
    shipit.log('Release published.')
    shipit.emit('published')
  }
  const tryChange = async () => {
    const context = contextOf(shipit)
    await chosen(run, () =>
      context.during(() => lookAt(context, wantedHere(context), 'nothing would be published')),
    )
    tryPublish(context)
  }
  task(shipit, 'deploy:publish', change, tryChange)

  const clean = async () => {
    nameDirectories(shipit)
    const context = contextOf(shipit)
    await context.during(() => cleanReleases(context))
    shipit.emit('cleaned')
  }
  task(shipit, 'deploy:clean', clean, () => tryClean(contextOf(shipit)))
  onlyForReal(shipit, 'deploy:finish')

  shipit.on('published', () => report?.())
  shipit.on('stop', () => report?.())
}

/** Leaves out a task of shipit-deploy's that says to others, in a dry run, too, that something has happened. */
export function onlyForReal(shipit: Shipit, name: string): void {
  const run = shipit.tasks[name]?.fn as (() => void | Promise<void>) | undefined
  if (run) task(shipit, name, run)
}

/**
 * A release was named in this call, or `alone` finds out which one is meant: what single steps have brought, or what the shipitfile
 * names. Not after a task that should have named one and has failed. Throws NOTHING_TO_PUBLISH.
 */
async function chosen(run: Run, alone: () => Promise<void>): Promise<void> {
  if (run.chooser === undefined) return run.choose('deploy:publish', alone)
  if (run.chooser.done) return
  throw nothingToPublish(`${run.chooser.task} has failed`, 'what it said above tells what to do')
}

/** Time since the other phases ended. */
function withPublish(done: DeployReport, seconds: number): DeployReport {
  const before = Object.values(done.phases).reduce((sum, phase) => sum + phase, 0)
  return { ...done, phases: { ...done.phases, publish: Math.max(0, seconds - before) } }
}

/** What shipit-deploy's tasks do first. */
export function nameDirectories(shipit: Shipit): void {
  const { deployTo = '' } = shipit.config
  shipit.currentPath ??= `${deployTo}/current`
  shipit.releasesPath ??= `${deployTo}/releases`
}
