/** `of`: the id of what was delivered before. `unchanged`: nothing but times differs from it. `staged`: that waited to be published. */
export interface DeltaReport {
  of: string
  bytes: number
  unchanged?: boolean
  staged?: boolean
}

export interface ServerReport {
  server: string
  /** From the start of the transfer until its content was complete and verified. */
  seconds: number
  /** Bytes that came over the network. */
  received?: number
  /** Bytes of these that came from the seeder; the others came from peers. */
  fromSeeder?: number
  /** Bytes that it had sent to other servers when it was complete. */
  sent?: number
  /** It got a delta, of what was delivered before, in place of the package. */
  delta?: DeltaReport
  /** Why it got the package when a delta did not fit. */
  refusedDelta?: string
  /** What its release has from the current one: kept, not sent. */
  carried?: CarriedReport
  /** Peers that sent it wrong bytes, by the server's name where that is known. */
  banned?: string[]
}

/** `names` are the first of the topmost paths, `more` is how many others there are. */
export interface CarriedReport {
  files: number
  bytes: number
  names: readonly string[]
  more: number
}

export interface Speed {
  server: string
  seconds: number
  rate: number
}

/** Bytes a second that came over the network to a server, which may have had the most of its content before. */
export function speedOf({ received = 0, seconds }: Pick<ServerReport, 'received' | 'seconds'>): number {
  return seconds > 0 ? Math.round(received / seconds) : 0
}
