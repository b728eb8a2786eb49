import { lstatSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname } from 'node:path'
import { explain } from '../../errors.ts'
import { realPath } from '../../files/directories/real-path.ts'
import { removeTree } from '../../files/directories/remove-tree.ts'
import type { Shipit, ShipitConfig } from '../../shipit.ts'

/** The identity of a directory, whatever its spelling, links to it, or later directories of the same name. */
interface Clone {
  path: string
  device: bigint
  inode: bigint
}

const clones = new WeakMap<Shipit, Clone[]>()

/** Shipit-deploy's own deploy:fetch logs this when it has made the directory, before anything else can use it. */
const MADE = /^Temporary workspace created: "(.+)"$/s

/**
 * Notes the temporary clones that shipit-deploy's own deploy:fetch makes. `shipit.workspace` is no sign of one, because a
 * shipitfile may set it, or replace or call that task. A task that fails ends the run, so its clones are removed.
 */
export function watchShallowClones(shipit: Shipit): void {
  let ignore = () => {}
  shipit.on('task_start', ({ task }: { task: string }) => {
    if (task === 'deploy:fetch') ignore = listen(shipit)
  })
  shipit.on('task_stop', ({ task }: { task: string }) => {
    if (task === 'deploy:fetch') ignore()
  })
  shipit.on('task_err', () => {
    ignore()
    removeShallowClones(shipit)
  })
}

/** Reads the log until the function that this returns is called. */
function listen(shipit: Shipit): () => void {
  const { log } = shipit
  const heard: Shipit['log'] = (...args) => {
    const [, path] = MADE.exec(String(args[0])) ?? []
    const clone = path === undefined ? undefined : cloneAt(path)
    if (clone) clones.set(shipit, [...(clones.get(shipit) ?? []), clone])
    log.apply(shipit, args)
  }
  shipit.log = heard
  return () => {
    if (shipit.log === heard) shipit.log = log
  }
}

/** A copy of that task in a shipitfile may log the same about any directory, but only `tmp` in this process makes such a name. */
function cloneAt(path: string): Clone | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  const real = realPath(path)
  if (!stats?.isDirectory() || real === undefined) return undefined
  if (dirname(real) !== realPath(tmpdir()) || !basename(real).startsWith(`tmp-${process.pid}`))
    return undefined
  return { path: real, device: stats.dev, inode: stats.ino }
}

/** Removes the temporary clones of this run, as shipit-deploy's own deploy:update does. Warns when one stays. */
export function removeShallowClones(shipit: Shipit): void {
  const { keepWorkspace = false, shallowClone = true } = shipit.config
  if (keepWorkspace || !shallowClone) return
  for (const clone of clones.get(shipit) ?? []) {
    if (!isStillThere(clone) || isUsed(clone.path, shipit.config)) continue
    try {
      removeTree(clone.path)
    } catch (error) {
      console.warn(`${clone.path}, the temporary clone, could not be removed: ${explain(error)}`)
    }
  }
}

function isStillThere({ path, device, inode }: Clone): boolean {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats?.isDirectory() === true && stats.dev === device && stats.ino === inode
}

/** A clone is the user's when the shipitfile goes into it, or names it in the configuration. */
function isUsed(path: string, { workspace, rsyncFrom }: ShipitConfig): boolean {
  const isConfigured = [workspace, rsyncFrom].some((own) => own && realPath(own) === path)
  return isConfigured || `${realPath('.') ?? ''}/`.startsWith(`${path}/`)
}
