import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Shipit } from '../../../shipit.ts'

const run = promisify(execFile)

/**
 * The commit that `branch` is in the workspace, as shipit-deploy writes it; `rsyncFrom` may be in another repository. For an
 * annotated tag it is the tagged commit. Undefined where there is no such commit.
 */
export async function revisionOf({
  workspace,
  config,
}: Pick<Shipit, 'workspace' | 'config'>): Promise<string | undefined> {
  const cwd = workspace ?? config.workspace ?? config.rsyncFrom
  const branch = config.branch ?? 'HEAD'
  try {
    const { stdout } = await run(
      'git',
      ['rev-list', '--max-count=1', '--end-of-options', branch, '--'],
      cwd === undefined ? {} : { cwd },
    )
    return stdout.trim() || undefined
  } catch {
    // Not a repository, or another branch: a release without REVISION, as with shipit-deploy without repositoryUrl.
    return undefined
  }
}
