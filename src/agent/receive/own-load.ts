import { readdirSync, readFileSync } from 'node:fs'

/** Resources that this process and its machine have used since they started; 0 where the system does not tell. */
export interface Load {
  /** CPU time of this process. */
  cpuS: number
  /** For how long its threads, added up, were ready to run and had no CPU: others had it, or a quota was used up. */
  queuedS: number
  /** TCP segments of the machine, or of its container: received, received after a gap, sent, and sent again. */
  received: number
  afterGap: number
  sent: number
  sentAgain: number
  /** Bytes that each network interface but the loopback has received. */
  arrived: ReadonlyMap<string, number>
}

export function ownLoad(): Load {
  const { user, system } = process.cpuUsage()
  const tcp = countersIn(contentOf('/proc/net/snmp'), 'Tcp')
  const more = countersIn(contentOf('/proc/net/netstat'), 'TcpExt')
  return {
    cpuS: (user + system) / 1e6,
    queuedS: threads().reduce(
      (sum, thread) => sum + queuedIn(contentOf(`/proc/self/task/${thread}/schedstat`)),
      0,
    ),
    received: tcp.get('InSegs') ?? 0,
    afterGap: more.get('TCPOFOQueue') ?? 0,
    sent: tcp.get('OutSegs') ?? 0,
    sentAgain: tcp.get('RetransSegs') ?? 0,
    arrived: arrivedIn(contentOf('/proc/net/dev')),
  }
}

function threads(): string[] {
  try {
    return readdirSync('/proc/self/task')
  } catch {
    return [] // another system
  }
}

/** Of /proc/<pid>/task/<thread>/schedstat: CPU time, time on a run queue (both ns), and how often it ran. */
export const queuedIn = (schedstat: string): number => (Number(schedstat.split(' ')[1]) || 0) / 1e9

/** Of /proc/net/snmp and netstat: for each protocol a line with names and one with values. */
export function countersIn(text: string, protocol: string): Map<string, number> {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith(`${protocol}: `))
    .map((line) => line.split(' ').slice(1))
  return new Map(names.map((name, place) => [name, Number(values[place]) || 0]))
}

/** Of /proc/net/dev: two lines of heads, then one for each interface, which begins with its name and the bytes received. */
export function arrivedIn(text: string): Map<string, number> {
  const found = text.matchAll(/^ *(\S+): *(\d+)/gm)
  return new Map([...found].flatMap(([, name = '', count]) => (name === 'lo' ? [] : [[name, Number(count)]])))
}

/** Bytes that came in between two looks, over the busiest interface. No sum: a bond counts those of its parts again. */
export const mostArrived = (before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number =>
  Math.max(0, ...[...now].map(([name, count]) => count - (before.get(name) ?? 0)))

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // another system, or one that hides it
  }
}
