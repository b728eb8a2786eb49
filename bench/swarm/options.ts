import { parseArgs } from 'node:util'
import type { LongLink } from '../../test/support/lab/long-link.ts'
import { parseCount, parseNumber, parseServers } from '../shared/numbers.ts'
import { sum } from '../shared/statistics.ts'
import { parseAmount, parseList, parseRate } from '../shared/units.ts'
import { contenders } from './contenders/index.ts'

/** Of most servers in the world. */
const USUAL_CONGESTION = 'cubic'

export interface Options {
  servers: number[]
  /** Servers in each site, the deploy host's first; undefined when all are in one. */
  sites: number[] | undefined
  /** Whether the agents are told the names of the sites. */
  named: boolean
  /** From the first site to each other one. */
  longLink: LongLink | undefined
  /** Of the link of each server, bits/s; undefined is no limit. */
  rate: number | undefined
  /** Bytes. */
  size: number
  rounds: number
  against: string[]
  /** Rates of single links by host name, bits/s. */
  slow: Record<string, number | undefined>
  /** Bytes; undefined leaves it to each contender. */
  pieceLength: number | undefined
  congestion: string | undefined
  /** Results (JSON) of an earlier run with the same size and rate, whose runs are reported along with these. */
  with: string[]
  /** Where results go, without extension; undefined for bench/results and a name with the date. */
  out: string | undefined
}

export function parseOptions(argv?: string[]): Options {
  const { values } = parseArgs({
    ...(argv ? { args: argv } : {}),
    options: {
      servers: { type: 'string', default: '8' },
      rate: { type: 'string', default: '50M' },
      size: { type: 'string', default: '50Mi' },
      rounds: { type: 'string', default: '3' },
      against: { type: 'string', default: Object.keys(contenders).join() },
      slow: { type: 'string', multiple: true, default: [] },
      piece: { type: 'string' },
      sites: { type: 'string' },
      named: { type: 'boolean', default: false },
      lan: { type: 'string', default: '100M' },
      wan: { type: 'string', default: '20M' },
      delay: { type: 'string', default: '25' },
      loss: { type: 'string', default: '0' },
      queue: { type: 'string', default: '1Mi' },
      congestion: { type: 'string' },
      with: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
    },
  })
  const against = parseList(values.against)
  for (const name of against) {
    if (!(name in contenders)) {
      throw new Error(`--against ${name}: known are ${Object.keys(contenders).join(', ')}`)
    }
  }
  const sites = values.sites === undefined ? undefined : parseSites(values.sites)
  const servers = sites ? [sum(sites)] : parseServers(values.servers)
  return {
    servers,
    sites,
    named: values.named,
    longLink: sites && parseLongLink(values),
    rate: parseRate(sites ? values.lan : values.rate),
    size: parseAmount(values.size),
    rounds: parseCount('--rounds', values.rounds),
    against,
    slow: Object.fromEntries(values.slow.map((text) => parseSlow(text, Math.max(...servers)))),
    pieceLength: values.piece ? parseAmount(values.piece) : undefined,
    congestion: values.congestion ?? (sites ? USUAL_CONGESTION : undefined),
    with: values.with,
    out: values.out,
  }
}

/** `4,4`: servers in each site. The first may have none but the deploy host. */
function parseSites(text: string): number[] {
  const sites = parseList(text).map((count, i) => parseCount('--sites', count, i === 0 ? 0 : 1))
  if (sites.length < 2) throw new Error(`--sites ${text}: name at least two, such as 4,4 or 0,1`)
  return sites
}

function parseLongLink(values: { wan: string; delay: string; loss: string; queue: string }): LongLink {
  const rate = parseRate(values.wan)
  if (rate === undefined) throw new Error(`--wan ${values.wan}: a long link has a limit`)
  return {
    rate,
    delayMs: parseNumber('--delay', values.delay),
    lossPercent: parseNumber('--loss', values.loss, 0, 99),
    queueBytes: parseAmount(values.queue),
  }
}

/** `server8=5M`, or `8=5M`. */
function parseSlow(text: string, servers: number): [string, number | undefined] {
  const [, number = '', rate = ''] = /^(?:server)?(\d+)=(.+)$/.exec(text) ?? []
  if (number === '') throw new Error(`--slow ${text}: must be like server8=5M`)
  if (Number(number) < 1 || Number(number) > servers)
    throw new Error(`--slow ${text}: there is no such server`)
  return [`server${Number(number)}`, parseRate(rate)]
}
