import { parseArgs } from 'node:util'
import { parseCount, parseNumber, parseServers } from '../shared/numbers.ts'
import { parseAmount, parseRate } from '../shared/units.ts'

export type Options = ReturnType<typeof parseOptions>

/** What `npm run simulate` can be told, in bytes and seconds. */
export function parseOptions(argv?: string[]) {
  const { values } = parseArgs({
    ...(argv ? { args: argv } : {}),
    options: {
      servers: { type: 'string', default: '10,100,1000' },
      pieces: { type: 'string', default: '1000' },
      'piece-length': { type: 'string', default: '64Ki' },
      rate: { type: 'string', default: '50M' },
      latency: { type: 'string', default: '0.2' },
      start: { type: 'string', default: '0.2' },
      slow: { type: 'string', default: '0' },
      unequal: { type: 'string', default: '0' },
      deaths: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
    },
  })
  const rate = parseRate(values.rate)
  if (rate === undefined) throw new Error('--rate 0: what is simulated are links with a limit')
  const pieceLength = parseAmount(values['piece-length'])
  if (pieceLength === 0) throw new Error('--piece-length 0: must be at least 1')
  const servers = parseServers(values.servers)
  const slow = parseCount('--slow', values.slow, 0)
  if (slow >= Math.min(...servers)) throw new Error(`--slow ${slow}: must leave a server with the full rate`)
  return {
    servers,
    pieces: parseCount('--pieces', values.pieces),
    pieceLength,
    /** Bytes a second of each link; given in bits a second. */
    rate: rate / 8,
    /** One-way; given in milliseconds. */
    latency: parseNumber('--latency', values.latency) / 1000,
    /** Servers start within this time. */
    start: parseNumber('--start', values.start),
    /** Servers with a tenth of the rate. */
    slow,
    /** Links are this share faster or slower than `rate`, at most. */
    unequal: parseNumber('--unequal', values.unequal, 0, 0.99),
    /** Servers that vanish while the content spreads. */
    deaths: parseCount('--deaths', values.deaths, 0),
    seed: parseCount('--seed', values.seed, 0),
  }
}
