import type { Failure } from '../../report/failures.ts'

/** What came of one server's transfer. */
export interface Ending {
  /** Undefined for a server without one. */
  site: string | undefined
  /** Undefined for a server that has all. */
  failure: Failure | undefined
  /** It failed because nothing was heard of it any more. */
  isUnheard: boolean
}

/** A single server of a site may itself be down. */
const MIN_SERVERS = 2

/** All failures. Where nothing was heard of any server of a site any more, while another server has all, they name the site. */
export function failuresWithSites(endings: readonly Ending[]): Failure[] {
  const isCutOff = (site: string) => {
    const its = endings.filter((ending) => ending.site === site)
    return its.length >= MIN_SERVERS && its.every(({ isUnheard }) => isUnheard)
  }
  const hasArrived = endings.some(({ failure }) => !failure)
  return endings.flatMap(({ site, failure }) => {
    if (!failure) return []
    if (site === undefined || !hasArrived || !isCutOff(site)) return [failure]
    return [
      {
        ...failure,
        cause: `${site} is cut off: nothing was heard of any server there any more`,
        cure: `check the line to ${site}, or raise murder.timeouts.stall`,
      },
    ]
  })
}
