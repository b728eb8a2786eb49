import type { AgentEvent } from '../../protocol/events.ts'
import { type PieceArrival, type PieceFrame, slotErrorS, unpackPieces } from '../../protocol/packed-pieces.ts'
import { defined } from '../../system/defined.ts'
import { ClockMap } from './clock-map.ts'
import type { ServerTransfer, TransferFacts } from './server-transfer.ts'

/** Larger values count as made up. */
const MAX_S = 1_000_000
const MAX_RATE = 1e12
const MAX_PIECE_COUNT = 10_000_000

/** Collects what one server reports about its transfer. It is not trusted: it only explains delays. */
export class ServerProfile {
  readonly #server: string
  readonly #now: () => number
  #clock = new ClockMap()
  #orderedS: number | undefined
  #startedS: number | undefined
  #completeS: number | undefined
  #doneS: number | undefined
  #received = 0
  #told: (AgentEvent & { event: 'profile' }) | undefined
  #spent: { cpuS: number; queuedS: number } | undefined

  /** `now`: seconds since the transfer began. */
  constructor(server: string, now: () => number) {
    this.#server = server
    this.#now = now
  }

  /** Call this when the server gets its order. A new connection may lead to another process, with another clock. */
  ordered(): void {
    this.#clock = new ClockMap()
    this.#orderedS = this.#now()
    this.#told = undefined
    this.#spent = undefined
  }

  heard(event: AgentEvent): void {
    const now = this.#now()
    const at = within(event.at, MAX_S)
    if (at !== undefined) {
      if (this.#orderedS !== undefined && !this.#clock.isKnown) this.#clock.answered(this.#orderedS, at)
      this.#clock.heard(now, at)
    }
    if (event.event === 'listening') this.#startedS ??= now
    if (event.event === 'downloaded') this.#received = within(event.received, Number.MAX_SAFE_INTEGER) ?? 0
    if (event.event === 'done') this.#completeS = now
    if (event.event === 'done' || event.event === 'unpacked') this.#doneS = now
    if (event.event === 'profile') this.#told = event
    if (event.event === 'spent') this.#spent = spentOf(event)
  }

  /** Undefined unless the server has the release. `nameOf`: the server at an address; undefined for any other machine. */
  facts(nameOf: (source: string) => string | undefined): ServerTransfer | undefined {
    const [startedS, completeS, doneS] = [this.#startedS, this.#completeS, this.#doneS]
    if (startedS === undefined || completeS === undefined || doneS === undefined) return undefined
    const told = this.#told && transferOf(this.#told)
    // The sum over several threads, so it may exceed the time that has passed.
    const queued = (seconds: number, mostS: number) => Math.max(0, Math.min(seconds, mostS))
    const transfer = told && { ...told, queuedS: queued(told.queuedS, completeS - startedS) }
    const spent = told && this.#spent
    const unpack = spent && {
      cpuS: Math.max(0, spent.cpuS - told.cpuS),
      queuedS: queued(spent.queuedS - told.queuedS, doneS - completeS),
    }
    return {
      server: this.#server,
      startedS,
      completeS,
      doneS,
      received: this.#received,
      clockErrorS: this.#clock.isKnown ? this.#clock.errorS : 0,
      ...this.#pieces(nameOf),
      ...defined({ transfer, unpack }),
    }
  }

  #pieces(nameOf: (source: string) => string | undefined) {
    const told = this.#told
    const frame = told && frameOf(told)
    if (!told || !frame || !this.#clock.isKnown) return { pieces: [], pieceErrorS: 0 }
    const names = new Map<string, string | undefined>()
    const onOurs = ({ piece, source, atS }: PieceArrival): PieceArrival[] => {
      if (!names.has(source)) names.set(source, nameOf(source))
      const name = names.get(source)
      return name === undefined ? [] : [{ piece, source: name, atS: this.#clock.toOurs(atS) }]
    }
    const pieces = (unpackPieces(told.pieces, frame) ?? []).flatMap(onOurs)
    const [lastPiece] = lastOf(told.last, frame).flatMap(onOurs)
    return { pieces, pieceErrorS: slotErrorS(frame, names.size), ...defined({ lastPiece }) }
  }
}

function frameOf(told: AgentEvent & { event: 'profile' }): PieceFrame | undefined {
  const [beganS, endedS] = [within(told.began, MAX_S), within(told.ended, MAX_S)]
  const [pieceCount, every] = [told.pieceCount, told.every].map((count) => within(count, MAX_PIECE_COUNT))
  if (beganS === undefined || endedS === undefined || endedS < beganS) return undefined
  return pieceCount && every ? { beganS, endedS, pieceCount, every } : undefined
}

function lastOf(last: unknown, { pieceCount }: PieceFrame): PieceArrival[] {
  const [piece, source, at] = Array.isArray(last) ? last : []
  const atS = within(at, MAX_S)
  const isPiece = Number.isInteger(piece) && piece >= 0 && piece < pieceCount
  return isPiece && typeof source === 'string' && atS !== undefined ? [{ piece, source, atS }] : []
}

function transferOf(told: AgentEvent & { event: 'profile' }): TransferFacts | undefined {
  const facts = {
    cpuS: within(told.cpu, MAX_S),
    queuedS: within(told.queued, MAX_S),
    diskS: within(told.disk, MAX_S),
    stoppedS: within(told.stopped, MAX_S),
    peakDown: within(told.peakDown, MAX_RATE),
    peakUp: within(told.peakUp, MAX_RATE),
    afterGap: within(told.afterGap, 1),
    sentAgain: within(told.sentAgain, 1),
    arrived: within(told.arrived, Number.MAX_SAFE_INTEGER),
  }
  if (Object.values(facts).includes(undefined)) return undefined
  return { ...(facts as TransferFacts), ...defined({ readRate: within(told.readRate, MAX_RATE) }) }
}

function spentOf({ cpu, queued }: AgentEvent & { event: 'spent' }) {
  const [cpuS, queuedS] = [within(cpu, MAX_S), within(queued, MAX_S)]
  return cpuS === undefined || queuedS === undefined ? undefined : { cpuS, queuedS }
}

/** A number of an event from 0 to `most`; undefined for anything else. */
const within = (value: unknown, most: number): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= most ? value : undefined
