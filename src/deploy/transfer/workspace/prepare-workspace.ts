import { chmod, mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isSystemError } from '../../../errors.ts'
import type { TaskContext } from '../../context/context.ts'
import { environmentDirectory } from '../../paths/local-paths.ts'

/**
 * Makes sure that there is something to package: the workspace of deploy:fetch in this call, else the configured directory, else
 * the repository, which is fetched into a kept directory. There git leaves unchanged files alone, so the same commit gives the
 * same package.
 */
export async function prepareWorkspace({ shipit }: Pick<TaskContext, 'shipit'>): Promise<void> {
  const { rsyncFrom, workspace, repositoryUrl } = shipit.config
  if (rsyncFrom !== undefined || shipit.workspace) return
  if (workspace && (!repositoryUrl || !(await isEmpty(resolve(workspace))))) return
  const fetch = shipit.tasks['deploy:fetch']?.fn as (() => unknown) | undefined
  if (!repositoryUrl || !fetch) return
  const directory = workspace ? resolve(workspace) : await ownWorkspace(shipit.environment)
  await mkdir(directory, { recursive: true })
  const before = { ...shipit.config }
  Object.assign(shipit.config, { workspace: directory, shallowClone: false })
  try {
    await fetch()
  } finally {
    for (const key of ['workspace', 'shallowClone'] as const) {
      if (key in before) Object.assign(shipit.config, { [key]: before[key] })
      else delete shipit.config[key]
    }
  }
}

/** Private because of its parent directory. Its own mode becomes that of the release. */
async function ownWorkspace(environment: string): Promise<string> {
  const parent = environmentDirectory(environment)
  const directory = join(parent, 'workspace')
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await mkdir(directory, { recursive: true })
  await chmod(directory, 0o755)
  return directory
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true
    throw error
  }
}
