/** What is known about where a neighbour is. It may be wrong: it only decides which neighbours are preferred. */
export interface SiteFacts {
  /** In our own site. */
  isNear: boolean
  /** The name of its site, if it has one. */
  site?: string | undefined
  /** The same text at all participants. Members of a site are chosen by it. */
  key: string
  /** Its number among the leaders of its site, if it is one (`../../tracker/sites/site-roster.ts`). */
  rank?: number | undefined
}

/** What is known about this participant. */
export interface OwnSite {
  site?: string | undefined
  key: string
  isSeeder?: boolean
  /** Where the seeder is, if that is known before it is met. */
  seederSite?: string | undefined
}
