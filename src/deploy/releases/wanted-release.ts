import type { Failure } from '../../report/failures.ts'
import type { FoundRelease } from '../scripts/find-release-script.ts'
import type { Brought } from './brought.ts'
import { checkName, nothingToPublish } from './release-name.ts'

/** A release that is on the servers already, says somebody. */
export interface Wanted {
  release: string
  /** Who says so: the shipitfile, as with shipit-deploy alone, or what single steps know. */
  by: 'shipitfile' | 'murder:peer'
  /** Of the package that it is made of, where that is known here. */
  sha256?: string
}

/** What a `deploy:publish` is about that no other task of this call has named a release for. Throws NOTHING_TO_PUBLISH. */
export function wantedRelease(
  named: string | undefined,
  tag: string | undefined,
  brought: Brought | undefined,
  environment: string,
): Wanted {
  if (named !== undefined) return { release: checkName(named), by: 'shipitfile' }
  const release = tag ?? brought?.tag
  if (release === undefined) {
    throw nothingToPublish(
      `murder:peer has brought no release to ${environment} since the last deploy`,
      `run npx shipit ${environment} murder:seed murder:peer deploy:publish, or name in MURDER_TAG a release that it has brought`,
    )
  }
  return { release, by: 'murder:peer', ...(release === brought?.tag ? { sha256: brought.sha256 } : {}) }
}

/** Why a server cannot publish it. `sha256`: of the package that it is to be made of. */
export function faultOf(
  { release, by }: Wanted,
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
      cure: `run npx shipit ${environment} murder:peer again`,
    }
  const cure = 'set MURDER_TAG to another name and run murder:seed murder:peer deploy:publish'
  if (found === undefined) return { cause: `${name} was not brought by murder:peer`, cure }
  return found === sha256 ? undefined : { cause: `${name} is made of another package`, cure }
}
