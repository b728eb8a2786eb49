import { parseArgs } from 'node:util'
import { parseCount, parseServers } from '../shared/numbers.ts'
import { parseAmount, parseList, parseRate } from '../shared/units.ts'
import { contenders } from './contenders/index.ts'

export interface Options {
  servers: number[]
  /** Bits/s; undefined is no limit. */
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
  const servers = parseServers(values.servers)
  return {
    servers,
    rate: parseRate(values.rate),
    size: parseAmount(values.size),
    rounds: parseCount('--rounds', values.rounds),
    against,
    slow: Object.fromEntries(values.slow.map((text) => parseSlow(text, Math.max(...servers)))),
    pieceLength: values.piece ? parseAmount(values.piece) : undefined,
    congestion: values.congestion,
    with: values.with,
    out: values.out,
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
