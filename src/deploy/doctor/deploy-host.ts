import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { explain } from '../../errors.ts'
import { OTHER_DIRECTORY } from '../../system/temporary-directory.ts'
import { DEPLOY_HOST as server } from '../hosts/placement.ts'
import { agent } from '../paths/agent-program.ts'
import { lackOfRoom, type Problem } from './problem.ts'

/** Checks for the agent and for room for a package. */
export function checkDeployHost(): Problem[] {
  const problems: Problem[] = []
  try {
    agent()
  } catch (error) {
    problems.push({ server, check: 'agent', cause: explain(error), cure: 'install shipit-murder again' })
  }
  const { bavail, bsize, files, ffree } = statfsSync(tmpdir())
  const room = lackOfRoom(bavail * bsize, files > 0 ? ffree : Number.POSITIVE_INFINITY)
  if (room) {
    const cause = `${room} in ${tmpdir()}`
    const cure = OTHER_DIRECTORY
    problems.push({ server, check: 'disk', cause, cure })
  }
  return problems
}
