import { rmSync } from 'node:fs'
import type { Shipit } from '../shipit.ts'

/**
 * Removes the workspace where it is shipit-deploy's temporary clone of the repository, as its own deploy:update does. What is
 * configured is the user's own: it is named as the workspace until the clone is.
 */
export function removeShallowClone({ config, workspace }: Pick<Shipit, 'config' | 'workspace'>): void {
  const { keepWorkspace = false, shallowClone = true } = config
  if (keepWorkspace || !shallowClone || !workspace || workspace === config.workspace) return
  rmSync(workspace, { recursive: true, force: true })
}
