import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The commit that `branch` is in the workspace, or undefined where there is no such commit. */
export async function revisionOf(workspace: string, branch: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', branch], {
      cwd: workspace,
    })
    return stdout.trim() || undefined
  } catch {
    // Not a repository, or another branch: a release without REVISION, as with shipit-deploy without repositoryUrl.
    return undefined
  }
}
