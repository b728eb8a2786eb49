import type { Bottleneck, LastServer, LateServer } from '../../report/last-server.ts'
import { bytes, duration } from '../../text/format.ts'
import { pieceChain } from './piece-chain.ts'
import type { ServerTransfer, TransferFacts } from './server-transfer.ts'

/** A server counts as late only beyond all of these: seconds, share of the whole time, and multiples of the others' spread. */
const MIN_BEHIND_S = 0.5
const MIN_BEHIND_SHARE = 0.15
const MIN_SPREADS = 4
/** A cause must explain so much of the delay. */
const MIN_EXPLAINED = 0.5
/** A link that carried more than this share of the others' rate was not the cause. */
const SLOW_LINK = 0.7
/**
 * Shares of segments that come after a gap or are sent again. Where a slow link's queue overflows it is up to 0.15, where packets
 * get lost at random 0.4 and more: so for a slow link only the higher share shows that losses were the cause.
 */
const MIN_LOSS = 0.04
const MIN_LOSS_WHEN_SLOW = 0.25
/**
 * A round trip by which a server is far, and how many times that of others. With so much under way, one lost packet puts many out
 * of order: so their share says little there.
 */
const FAR_S = 0.1
const TIMES_AS_FAR = 4
/** Less than so many times the others' value is noise. */
const TIMES_OTHERS = 2
/** A server was starved if it waited for a CPU for this share of the time, or for so many times the others' share. */
const STARVED = 0.7
const STARVED_TIMES = 3
/** One server is to blame if it sent this share of the late pieces. */
const ONE_SENDER = 0.8
/** More than the others means at least so many times more. */
const MORE = 1.5
/** Of what came to a machine, so much more than the content is not other traffic: headers, requests, acknowledgements. */
const OVERHEAD = 1.2
const SEEDER = 'seeder'

/** The servers that were clearly later than the others, the last one first. Leaves out servers within the others' noise. */
export function lateServers(facts: readonly ServerTransfer[]): LateServer[] {
  return [...facts]
    .sort((one, other) => other.doneS - one.doneS)
    .flatMap((each) => whyLate(each, facts) ?? [])
}

/** The last server, if it was clearly later than the others. */
export function lastServer(facts: readonly ServerTransfer[]): LastServer | undefined {
  const [late] = lateServers(facts)
  const last = facts.find(({ server }) => server === late?.server)
  return late && last && { ...late, chain: pieceChain(last, facts) }
}

function whyLate(late: ServerTransfer, facts: readonly ServerTransfer[]): LateServer | undefined {
  const others = facts.filter((each) => each !== late)
  if (others.length === 0) return undefined
  const doneS = median(others.map((each) => each.doneS))
  const behind = late.doneS - doneS
  const spreadS = upperMedian(others.map((each) => Math.abs(each.doneS - doneS)))
  if (behind < Math.max(MIN_BEHIND_S, MIN_BEHIND_SHARE * doneS, MIN_SPREADS * spreadS)) return undefined
  const [cause, text] = causeOf(late, others, behind)
  return { server: late.server, behind: Math.round(behind * 100) / 100, cause, text }
}

type Cause = [cause: Bottleneck, text: string]

/** In which phase the time was lost, and why. If no single phase explains it, the machine's load over all phases may. */
function causeOf(late: ServerTransfer, others: readonly ServerTransfer[], behindS: number): Cause {
  const excessOf = (secondsOf: (facts: ServerTransfer) => number) =>
    secondsOf(late) - median(others.map(secondsOf))
  const startS = excessOf(({ startedS }) => startedS)
  const transferS = excessOf(({ startedS, completeS }) => completeS - startedS)
  const unpackS = excessOf(({ completeS, doneS }) => doneS - completeS)
  const least = MIN_EXPLAINED * behindS
  if (startS >= Math.max(least, transferS, unpackS))
    return ['start', `it began ${duration(startS)} later than others`]
  if (unpackS >= Math.max(least, transferS)) return whyUnpacking(late, others, unpackS)
  return (
    whyMore(late, others) ??
    whyBusy(late, others, behindS) ??
    (transferS >= least ? whyNetwork(late, others, behindS) : undefined) ?? [
      'unknown',
      'nothing that was measured says why',
    ]
  )
}

function whyUnpacking(late: ServerTransfer, others: readonly ServerTransfer[], excessS: number): Cause {
  const usualS = median(others.map(({ completeS, doneS }) => doneS - completeS))
  const took = `unpacking took ${duration(late.doneS - late.completeS)}, others ${duration(usualS)}`
  if (!late.unpack) return ['unpack', took]
  const { cpuS, queuedS } = late.unpack
  const usual = (secondsOf: (unpack: { cpuS: number; queuedS: number }) => number) =>
    median(others.flatMap(({ unpack }) => (unpack ? [secondsOf(unpack)] : [])))
  const moreQueuedS = queuedS - usual((unpack) => unpack.queuedS)
  const moreCpuS = cpuS - usual((unpack) => unpack.cpuS)
  if (moreQueuedS >= MIN_EXPLAINED * excessS)
    return ['cpu', `${took}: it waited ${duration(queuedS)} for a CPU`]
  if (moreCpuS >= MIN_EXPLAINED * excessS) return ['cpu', `${took}: its CPU worked ${duration(cpuS)} on it`]
  return ['disk', `${took}: it waited for its disk`]
}

function whyMore({ received }: ServerTransfer, others: readonly ServerTransfer[]): Cause | undefined {
  const usual = median(others.map((each) => each.received))
  return received > MORE * usual
    ? ['amount', `it fetched ${bytes(received)}, others ${bytes(usual)}`]
    : undefined
}

/** Seconds of the whole work, from the beginning of the transfer until the release was there. */
interface Work {
  diskS: number
  queuedS: number
  cpuS: number
  stoppedS: number
  lastedS: number
}

const KINDS: [cause: Bottleneck, key: keyof Work, say: (own: string, others: string) => string][] = [
  ['disk', 'diskS', (own, others) => `it waited ${own} for its disk, others ${others}`],
  ['cpu', 'queuedS', (own, others) => `it waited ${own} for a CPU, others ${others}`],
  ['cpu', 'cpuS', (own, others) => `its CPU worked ${own} on it, others ${others}`],
  ['stopped', 'stoppedS', (own, others) => `it stood still for ${own}, others ${others}`],
]

function workOf({ transfer, unpack, startedS, doneS }: ServerTransfer): Work[] {
  if (!transfer) return []
  const { diskS, stoppedS } = transfer
  const queuedS = transfer.queuedS + (unpack?.queuedS ?? 0)
  return [{ diskS, queuedS, cpuS: transfer.cpuS + (unpack?.cpuS ?? 0), stoppedS, lastedS: doneS - startedS }]
}

/** Where the process waited for its own machine. */
function whyBusy(
  late: ServerTransfer,
  others: readonly ServerTransfer[],
  behindS: number,
): Cause | undefined {
  const [own] = workOf(late)
  const theirs = others.flatMap(workOf)
  if (!own || theirs.length === 0) return undefined
  const usual = (key: keyof Work) => median(theirs.map((work) => work[key]))
  const found = KINDS.map(([cause, key, say]) => {
    const isMore = own[key] >= TIMES_OTHERS * usual(key) && (key !== 'queuedS' || isStarved(own, usual))
    const more = isMore ? own[key] - usual(key) : 0
    return { cause, more, text: say(duration(own[key]), duration(usual(key))) }
  })
  const [most] = found.sort((one, other) => other.more - one.more)
  return most && most.more >= MIN_EXPLAINED * behindS ? [most.cause, most.text] : undefined
}

/** On a busy machine a long transfer also waits long for a CPU, so its share of the time counts. */
function isStarved(own: Work, usual: (key: keyof Work) => number): boolean {
  const part = own.queuedS / own.lastedS
  return part >= STARVED || part >= STARVED_TIMES * (usual('queuedS') / usual('lastedS'))
}

function whyNetwork(
  late: ServerTransfer,
  others: readonly ServerTransfer[],
  behindS: number,
): Cause | undefined {
  const own = late.transfer
  const theirs = others.flatMap(({ transfer }) => transfer ?? [])
  if (!own || theirs.length === 0) return undefined
  const usualPeak = median(theirs.map(({ peakDown }) => peakDown))
  const sender = slowSender(late, others, usualPeak)
  if (sender) return sender
  const shared = whyShared(late, usualPeak, behindS)
  if (shared) return shared
  const lossOf = ({ afterGap, sentAgain }: TransferFacts) => Math.max(afterGap, sentAgain)
  const usualLoss = median(theirs.map(lossOf))
  const loss = lossOf(own)
  const isSlow = own.peakDown <= SLOW_LINK * usualPeak
  if (loss >= Math.max(isSlow ? MIN_LOSS_WHEN_SLOW : MIN_LOSS, TIMES_OTHERS * usualLoss)) {
    const what = `${share(loss)} of its packets came out of order or again, others ${share(usualLoss)}`
    const far = whyFar(late, others)
    if (far) return ['far', `${far}, and ${what}`]
    const kind = loss < MIN_LOSS_WHEN_SLOW ? 'its link is crowded or loses packets' : 'its link loses packets'
    return ['loss', `${kind}: ${what}`]
  }
  const far = whyFar(late, others)
  if (far) return ['far', far]
  if (!isSlow) return undefined
  return ['link', `its downlink carried ${megabits(own.peakDown)} Mbit/s, others ${megabits(usualPeak)}`]
}

/** At the rate that others reached, what came for other programs takes a good part of the delay. */
function whyShared(
  { received, transfer }: ServerTransfer,
  usualPeak: number,
  behindS: number,
): Cause | undefined {
  const foreign = (transfer?.arrived ?? 0) - OVERHEAD * received
  if (foreign < MIN_EXPLAINED * behindS * usualPeak) return undefined
  return ['link', `its downlink is shared: ${bytes(foreign)} of other traffic came meanwhile`]
}

/** The bounds of a server's clock are a round trip apart. */
function whyFar({ clockErrorS }: ServerTransfer, others: readonly ServerTransfer[]): string | undefined {
  const usualS = median(others.map((each) => each.clockErrorS))
  if (clockErrorS < Math.max(FAR_S, TIMES_AS_FAR * usualS)) return undefined
  return `it is far away: ${duration(clockErrorS)} there and back, others ${duration(usualS)}`
}

/** The one slow server that sent nearly all of the pieces that came after the others were complete. */
function slowSender(
  late: ServerTransfer,
  others: readonly ServerTransfer[],
  usualPeak: number,
): Cause | undefined {
  const fromS = median(others.map(({ completeS }) => completeS))
  const came = late.pieces.filter(({ atS }) => atS + late.pieceErrorS > fromS)
  const counts = new Map<string, number>()
  for (const { source } of came) counts.set(source, (counts.get(source) ?? 0) + 1)
  const [[name, count] = ['', 0]] = [...counts].sort(([, one], [, other]) => other - one)
  const sender = others.find(({ server }) => server === name)
  if (name === SEEDER || !sender?.transfer || count < ONE_SENDER * came.length) return undefined
  const { peakUp, readRate = Number.POSITIVE_INFINITY } = sender.transfer
  if (Math.min(peakUp, readRate) > SLOW_LINK * usualPeak) return undefined
  const part = `${Math.round((100 * count) / came.length)}% of its last pieces`
  const why =
    readRate < peakUp
      ? `whose disk gave ${megabits(readRate)} Mbit/s`
      : `which sent at most ${megabits(peakUp)} Mbit/s`
  return ['sender', `${part} came from ${name}, ${why}`]
}

const ascending = (values: readonly number[]) => [...values].sort((one, other) => one - other)

/** For an even number of values, the median is the lower of the two in the middle, and `upperMedian` the upper. */
const median = (values: readonly number[]) => ascending(values)[Math.floor((values.length - 1) / 2)] ?? 0
const upperMedian = (values: readonly number[]) => ascending(values)[Math.floor(values.length / 2)] ?? 0

const share = (part: number) => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)}%`

function megabits(bytesPerSecond: number): string {
  const value = (bytesPerSecond * 8) / 1e6
  return value < 9.95 ? value.toFixed(1) : String(Math.round(value))
}
