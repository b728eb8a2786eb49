import { parseArgs } from 'node:util'
import { parseAmount, parseRate } from '../shared/units.ts'

const { values } = parseArgs({
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

/** What `npm run simulate` can be told, in bytes and seconds. */
export const options = {
  servers: values.servers.split(',').map(Number),
  pieces: Number(values.pieces),
  pieceLength: parseAmount(values['piece-length']),
  /** Bytes a second of each link; given in bits a second. */
  rate: (parseRate(values.rate) ?? Number.POSITIVE_INFINITY) / 8,
  /** One-way; given in milliseconds. */
  latency: Number(values.latency) / 1000,
  /** Servers start within this time. */
  start: Number(values.start),
  /** Servers with a tenth of the rate. */
  slow: Number(values.slow),
  /** 0 to 1: links are this share faster or slower than `rate`, at most. */
  unequal: Number(values.unequal),
  /** Servers that vanish while the content spreads. */
  deaths: Number(values.deaths),
  seed: Number(values.seed),
}
