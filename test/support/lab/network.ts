/**
 * What `ip` and `tc` are told, as text (their `-batch` form): nothing here runs anything.
 *
 * One bridge in a namespace of its own, one veth pair a host; the host's end is `eth0`, the bridge's end its port.
 * A limited link has a token bucket on both ends: the host's limits what it sends, the port's what it receives.
 */

/** Everything is inside namespaces, so the range only has to differ from what people use for deploys. */
const network = '10.77'
const mask = 16
/** Of one site of several. */
const siteMask = 24

/** So many servers have addresses that differ in the last byte only. */
export const NETWORK_SIZE = 250

/** The deploy host is index 0, servers count from 1. Room for 60,000. */
export function addressOf(index: number): string {
  if (index === 0) return `${network}.0.1`
  return `${network}.${1 + Math.floor((index - 1) / NETWORK_SIZE)}.${1 + ((index - 1) % NETWORK_SIZE)}`
}

export function portOf(hostName: string): string {
  return `p-${hostName}`
}

/** For the bridge's namespace. `pid`: a process in the host's network namespace. */
export function switchBatch(hosts: { name: string; pid: number }[]): string {
  return lines([
    'link set lo up',
    'link add name br0 type bridge stp_state 0 mcast_snooping 0',
    'link set br0 addrgenmode none up',
    ...hosts.flatMap(({ name, pid }) => [
      `link add name ${portOf(name)} type veth peer name eth0 netns ${pid}`,
      `link set ${portOf(name)} master br0 addrgenmode none up`,
    ]),
  ])
}

/** `hasOwnNetwork`: its site has one, and others are reached over the same device all the same. */
export function hostBatch(address: string, hasOwnNetwork = false): string {
  return lines([
    'link set lo up',
    'link set eth0 addrgenmode none up',
    `addr add ${address}/${hasOwnNetwork ? siteMask : mask} dev eth0`,
    ...(hasOwnNetwork ? [`route add ${network}.0.0/${mask} dev eth0 scope link src ${address}`] : []),
  ])
}

/** The switch's end of a long link. */
export function uplinkBatch(device: string): string {
  return lines([`link set ${device} master br0 addrgenmode none up`])
}

/** The congestion control of all that the host sends. */
export function congestionBatch(address: string, algorithm: string): string {
  return lines([
    `route replace ${network}.0.0/${mask} dev eth0 proto kernel scope link src ${address} congctl ${algorithm}`,
  ])
}

/** `tc` for one end of a link. `rate` in bits/s; undefined is no limit. */
export function rateCommand(device: string, rate: number | undefined): string {
  if (rate === undefined) return `qdisc delete dev ${device} root`
  const { burst, limit } = bucket(rate)
  return `qdisc replace dev ${device} root tbf rate ${rate}bit burst ${burst} limit ${limit}`
}

/**
 * What TCP hands to a device in one go, bytes: 64 KiB, and headers of each packet that it will be cut into. The bucket cuts up
 * what does not fit, and each packet then costs the machine as much as the whole.
 */
const LONGEST_SEGMENT = 72 * 1024

/**
 * Bytes: a burst of 5 ms (timers are not finer on a busy machine, and a full segment has to fit), and a
 * queue of 50 ms, so that several TCP connections together reach the rate and a full queue shows as loss, as on
 * a real switch, and not as seconds of delay.
 */
function bucket(rate: number): { burst: number; limit: number } {
  const bytes = rate / 8
  const burst = Math.round(Math.min(Math.max(bytes * 0.005, LONGEST_SEGMENT), 1_048_576))
  return { burst, limit: Math.round(burst + Math.max(bytes * 0.05, LONGEST_SEGMENT)) }
}

/**
 * Bytes that crossed each link of a bridge, out of `ip -s -j link` in its namespace, by what follows `prefix` in the names of
 * the devices: for hosts, their names.
 */
export function parseCounters(json: string, prefix: string): Map<string, Counters> {
  const result = new Map<string, Counters>()
  for (const link of JSON.parse(json) as LinkStatistics[]) {
    if (!link.ifname.startsWith(prefix)) continue
    // What the port receives is what the host has sent.
    const { rx, tx } = link.stats64
    result.set(link.ifname.slice(prefix.length), { sent: rx.bytes, received: tx.bytes })
  }
  return result
}

export interface Counters {
  sent: number
  received: number
}

interface LinkStatistics {
  ifname: string
  stats64: { rx: { bytes: number }; tx: { bytes: number } }
}

const lines = (list: string[]): string => `${list.join('\n')}\n`
