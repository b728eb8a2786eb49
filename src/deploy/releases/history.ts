/**
 * An event in the history of a release. `reverted`: its publication was taken back. `found`: the directory was not made by a
 * deploy of ours.
 */
const EVENTS = [
  'receiving',
  'failed',
  'brought',
  'staged',
  'live',
  'was-live',
  'rolled-back-from',
  'found',
  'reverted',
] as const
export type HistoryEvent = (typeof EVENTS)[number]

export interface HistoryEntry {
  when: string
  event: HistoryEvent
  release: string
  who: string
}

/** The state of a release. A `foreign` directory was not made by a deploy. */
export type ReleaseState = Exclude<HistoryEvent, 'reverted'> | 'foreign'

export interface Release {
  name: string
  state: ReleaseState
  /** Position in the history; higher is later. It is the line at which the release last counted as live. No clock is used. */
  order: number
}

/** The releases of one server. */
export interface ServerReleases {
  /** Directory name of the release that `current` points to. */
  live: string | undefined
  /** Directory names, the last by name first. */
  releases: string[]
  history: HistoryEntry[]
}

const isEvent = (text: string): text is HistoryEvent => (EVENTS as readonly string[]).includes(text)

/** The file may have been cut or edited, so malformed lines are ignored. */
export function parseHistory(lines: readonly string[]): HistoryEntry[] {
  return lines.flatMap((line) => {
    const [when = '', event = '', release = '', who, ...more] = line.split('\t')
    const isEntry = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(when) && isEvent(event) && release !== ''
    return isEntry && who !== undefined && more.length === 0 ? [{ when, event, release, who }] : []
  })
}

const wasLive = (state: ReleaseState) =>
  state === 'live' || state === 'was-live' || state === 'rolled-back-from'

/** Only the link shows that such a release is live, so that happened after all lines of the history. */
const wasNeverLive = (state: ReleaseState) => !wasLive(state) && state !== 'found'

const isTime = (name: string) => /^\d{14}$/.test(name)

/**
 * The link may have been changed by hand, or by shipit-deploy alone. If it now points to a release that was rolled back from,
 * that change went back from the release that the history calls live. All others were live before.
 */
function orderOfLive(state: ReleaseState, order: number, history: readonly HistoryEntry[]): number {
  if (wasNeverLive(state)) return Infinity
  const left = history.findLastIndex(({ event }) => event === 'live')
  return state === 'rolled-back-from' ? Math.max(order, left - 0.5) : order
}

type Noted = Omit<Release, 'name'> & { before: ReleaseState }

/**
 * The state of every release in the history, in the order of its lines. Each publication notes the release that it replaced. If
 * that one was live before the release that the history calls live, somebody has gone back without a note.
 */
function notedReleases(history: readonly HistoryEntry[]): Map<string, Noted> {
  const noted = new Map<string, Noted>()
  let live: string | undefined
  for (const [index, { release, event }] of history.entries()) {
    const left = live === undefined || live === release ? undefined : noted.get(live)
    if (left && event === 'was-live' && wasLive(noted.get(release)?.state ?? 'failed'))
      left.state = 'rolled-back-from'
    if (event === 'live') live = release
    else if (wasLive(event as ReleaseState)) live = undefined
    const { state, before, order } = noted.get(release) ?? { state: 'failed', before: 'failed', order: index }
    if (event === 'reverted') noted.set(release, { state: before, before, order })
    else {
      const kept = event === state ? before : state
      noted.set(release, { state: event, before: kept, order: index })
    }
  }
  return noted
}

/** The state of each directory in `releases`, the latest first. */
export function classify({ live, releases, history }: ServerReleases): Release[] {
  const noted = notedReleases(history)
  const liveTime = live !== undefined && isTime(live) ? live : undefined
  const unnoted = (name: string): ReleaseState => {
    if (!isTime(name)) return 'foreign'
    const isLater = liveTime !== undefined && name > liveTime
    return history.length > 0 || isLater ? 'found' : 'was-live'
  }
  const rank = new Map([...releases].sort().map((name, index) => [name, history.length + index]))
  return releases
    .map((name): Release => {
      const { state, order } = noted.get(name) ?? { state: unnoted(name), order: rank.get(name) ?? 0 }
      if (name === live) return { name, state: 'live', order: orderOfLive(state, order, history) }
      return { name, state: state === 'live' ? 'was-live' : state, order }
    })
    .sort((a, b) => b.order - a.order)
}

/**
 * The releases that a rollback may go to, the latest first: those that were live before the live one, and were not rolled back
 * from. `any`: also all others, except foreign and staged ones.
 */
export function rollbackTargets(server: ServerReleases, { any = false } = {}): string[] {
  const all = classify(server)
  const live = all.find(({ state }) => state === 'live')
  const isBefore = ({ order }: Release) => live === undefined || order < live.order
  return all
    .filter((release) =>
      any
        ? !['foreign', 'live', 'staged'].includes(release.state)
        : release.state === 'was-live' && isBefore(release),
    )
    .map(({ name }) => name)
}

/**
 * The releases to remove so that `keep` stay. A release that was brought or staged and is not live yet does not count and stays,
 * but a superseded one is removed. One that was rolled back from does not count either, and is removed when `keep` later ones
 * exist. `withLeftovers`: also releases whose deploy ended without publishing them. Only the owner of the lock may ask for that,
 * because then no deploy is about to publish them.
 */
export function releasesToClean(
  server: ServerReleases,
  keep: number,
  { withLeftovers = false, own }: { withLeftovers?: boolean; own?: string | undefined } = {},
): string[] {
  const all = classify(server)
  const counted = all.filter(({ state }) => state === 'live' || state === 'was-live' || state === 'found')
  const published = all.filter((each) => counted.includes(each) || each.state === 'rolled-back-from')
  const kept = new Set([...counted.slice(0, keep), ...published.slice(0, keep)])
  const old = published.filter((each) => each.state !== 'live' && !kept.has(each))
  const left = withLeftovers ? leftovers(server) : []
  const gone = [...old.map(({ name }) => name).reverse(), ...supersededReleases(server), ...left]
  return gone.filter((name) => name !== own)
}

/** Releases that were never published, because their deploy failed or was killed. */
export const leftovers = (server: ServerReleases): string[] =>
  classify(server).flatMap(({ name, state }) => (state === 'receiving' || state === 'failed' ? [name] : []))

/** Staged releases that wait to be published, the last first. */
export const stagedReleases = (server: ServerReleases): string[] =>
  classify(server).flatMap(({ name, state }) => (state === 'staged' ? [name] : []))

/** Staged releases that no deploy will publish: another one was staged after it, or a newer release was published. */
export function supersededReleases(server: ServerReleases): string[] {
  const { history } = server
  const noted = notedReleases(history)
  const newer = (order: number) =>
    history
      .slice(order + 1)
      .filter(({ event }) => event === 'receiving')
      .map(({ release }) => noted.get(release)?.state)
  return classify(server)
    .filter(({ state }) => state === 'staged')
    .filter(
      ({ order }, index) => index > 0 || newer(order).some((state) => state !== undefined && wasLive(state)),
    )
    .map(({ name }) => name)
}

/** Releases that have been published, on any server, after this one was. */
export function publishedSince(servers: readonly ServerReleases[], release: string): string[] {
  const later = servers.flatMap(({ history }) => {
    const at = history.findLastIndex((entry) => entry.release === release && entry.event === 'live')
    return at < 0 ? [] : history.slice(at + 1)
  })
  const published = new Set(
    servers.flatMap(({ history }) =>
      [...notedReleases(history)].flatMap(([name, { state }]) => (wasLive(state) ? [name] : [])),
    ),
  )
  const begun = later.filter(({ event }, index) => {
    const isGoingBack = later[index - 1]?.event === 'reverted'
    return event === 'receiving' || (event === 'live' && !isGoingBack)
  })
  return [...new Set(begun.map((entry) => entry.release))].filter(
    (name) => name !== release && published.has(name),
  )
}
