/** `of`: the id of the base. `unchanged`: only times differ from it. `staged`: the base was a staged release. */
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
  /** How many of these bytes came from the seeder; the others came from peers. */
  fromSeeder?: number
  /** Bytes that it had sent to other servers when it was complete. */
  sent?: number
  /** The delta that it got in place of the package. */
  delta?: DeltaReport
  /** Why a delta did not fit, so that it got the package. */
  refusedDelta?: string
  /** What its release kept from the current one, without sending it. */
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

/** The rate, bytes a second, at which bytes came over the network. The server may have had most of its content before. */
export function speedOf({ received = 0, seconds }: Pick<ServerReport, 'received' | 'seconds'>): number {
  return seconds > 0 ? Math.round(received / seconds) : 0
}
