import type { Failure } from '../../../report/failures.ts'
import { shipitCommand } from '../../context/shipit-command.ts'
import type { FoundRelease } from '../../scripts/releases/find-release-script.ts'
import type { Intact } from '../../scripts/releases/intact-script.ts'
import { checkReleaseName, nothingToPublish } from './check-release-name.ts'
import type { LastBrought } from './last-brought.ts'

/** A release that should be on the servers already. */
export interface ReleaseToPublish {
  release: string
  /** Where the name comes from: the shipitfile, as with shipit-deploy alone, or the single steps. */
  by: 'shipitfile' | 'murder:peer'
  /** SHA-256 of its package, when known here. */
  sha256?: string
}

/** The release of a `deploy:publish` for which no other task of this call has named one. Throws NOTHING_TO_PUBLISH. */
export function releaseToPublish(
  named: unknown,
  tag: string | undefined,
  brought: LastBrought | undefined,
  environment: string,
): ReleaseToPublish {
  if (named !== undefined) return { release: checkReleaseName(named), by: 'shipitfile' }
  const release = tag ?? brought?.tag
  if (release === undefined) {
    throw nothingToPublish(
      `murder:peer has brought no release to ${environment} since the last deploy`,
      `name in MURDER_TAG a release that it has brought, or run: ${shipitCommand(environment, 'murder:seed murder:peer deploy:publish')}`,
    )
  }
  return { release, by: 'murder:peer', ...(release === brought?.tag ? { sha256: brought.sha256 } : {}) }
}

/** Why a server cannot publish the release. `sha256`: of the package that it should be made of. */
export function whyUnpublishable(
  { release, by }: ReleaseToPublish,
  { isThere, sha256: found }: Pick<FoundRelease, 'isThere' | 'sha256'>,
  sha256: string | undefined,
  environment: string,
): Pick<Failure, 'cause' | 'cure'> | undefined {
  const name = `releases/${release}`
  if (by === 'shipitfile')
    return isThere ? undefined : { cause: `${name} is not there`, cure: 'deploy again' }
  if (!isThere)
    return {
      cause: `${name} is not there, or not whole`,
      cure: `run again: ${shipitCommand(environment, 'murder:peer')}`,
    }
  const cure = bringAgain(environment)
  if (found === undefined) return { cause: `${name} was not brought by murder:peer`, cure }
  return found === sha256 ? undefined : { cause: `${name} is made of another package`, cure }
}

/** Why a release that was brought cannot be published: files in it have changed since. */
export function whyNotIntact(
  release: string,
  intact: Intact,
  environment: string,
): Pick<Failure, 'cause' | 'cure'> | undefined {
  if (intact.state === 'no-note') return undefined
  if (intact.state === 'no-agent') {
    const cure = `upload it: ${shipitCommand(environment, 'murder:setup')}`
    return {
      cause: `releases/${release} cannot be compared with what was brought: the agent is not there`,
      cure,
    }
  }
  if (intact.changed === undefined) return undefined
  return {
    cause: `releases/${release} is not what was brought: ${intact.changed}`,
    cure: bringAgain(environment),
  }
}

const bringAgain = (environment: string) =>
  `set MURDER_TAG to another name and run: ${shipitCommand(environment, 'murder:seed murder:peer deploy:publish')}`
