import { parseArgs } from 'node:util'
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
  return {
    servers: parseList(values.servers).map(Number),
    rate: parseRate(values.rate),
    size: parseAmount(values.size),
    rounds: Number(values.rounds),
    against,
    slow: Object.fromEntries(values.slow.map(parseSlow)),
    pieceLength: values.piece ? parseAmount(values.piece) : undefined,
    congestion: values.congestion,
    with: values.with,
    out: values.out,
  }
}

/** `server8=5M`, or `8=5M`. */
function parseSlow(text: string): [string, number | undefined] {
  const [host = '', rate = ''] = text.split('=')
  return [/^\d+$/.test(host) ? `server${host}` : host, parseRate(rate)]
}
