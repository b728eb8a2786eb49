import { rmSync } from 'node:fs'
import type { Shipit } from '../shipit.ts'

/** Removes the workspace where it is shipit-deploy's temporary clone of the repository, as its own deploy:update does. */
export function removeShallowClone({ config, workspace }: Shipit): void {
  const { keepWorkspace = false, shallowClone = true } = config
  if (keepWorkspace || !shallowClone || !workspace) return
  rmSync(workspace, { recursive: true, force: true })
}
