import { parseArgs } from 'node:util'
import { parseCount, parseNumber, parseServers } from '../shared/numbers.ts'
import { parseAmount, parseList, parseRate } from '../shared/units.ts'

export type Options = ReturnType<typeof parseOptions>

/** Links inside of a site, unless they are given: faster than the long ones. */
const SITE_LAN = '1G'
const SINGLE_LAN = '50M'
/** Pieces for a fleet of several sites: what starts and ends a run is the same for any size, and long ways make it longer. */
const SITE_PIECES = '4000'
const SINGLE_PIECES = '1000'

/** What `npm run simulate` can be told, in bytes and seconds. */
export function parseOptions(argv?: string[]) {
  const { values } = parseArgs({
    ...(argv ? { args: argv } : {}),
    options: {
      servers: { type: 'string', default: '10,100,1000' },
      pieces: { type: 'string' },
      'piece-length': { type: 'string', default: '64Ki' },
      rate: { type: 'string' },
      latency: { type: 'string', default: '0.2' },
      start: { type: 'string', default: '0.2' },
      slow: { type: 'string', default: '0' },
      unequal: { type: 'string', default: '0' },
      deaths: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      sites: { type: 'string' },
      wan: { type: 'string', default: '200M' },
      delay: { type: 'string', default: '50' },
      loss: { type: 'string', default: '0' },
      unnamed: { type: 'boolean', default: false },
    },
  })
  const sites = values.sites === undefined ? undefined : siteOptions(values.sites, values)
  const rate = parseRate(values.rate ?? (sites ? SITE_LAN : SINGLE_LAN))
  if (rate === undefined) throw new Error('--rate 0: what is simulated are links with a limit')
  const pieceLength = parseAmount(values['piece-length'])
  if (pieceLength === 0) throw new Error('--piece-length 0: must be at least 1')
  const servers = sites
    ? [sites.servers.reduce((sum, count) => sum + count, 0)]
    : parseServers(values.servers)
  const slow = parseCount('--slow', values.slow, 0)
  if (slow >= Math.min(...servers)) throw new Error(`--slow ${slow}: must leave a server with the full rate`)
  return {
    servers,
    sites,
    pieces: parseCount('--pieces', values.pieces ?? (sites ? SITE_PIECES : SINGLE_PIECES)),
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

interface SiteValues {
  wan: string
  delay: string
  loss: string
  unnamed: boolean
}

function siteOptions(sites: string, { wan, delay, loss, unnamed }: SiteValues) {
  const rate = parseRate(wan)
  if (rate === undefined) throw new Error('--wan 0: what is simulated are links with a limit')
  return {
    servers: parseSites(sites),
    /** Bytes a second of each site's long links; given in bits a second. */
    rate: rate / 8,
    /** One-way; given in milliseconds. */
    latency: parseNumber('--delay', delay) / 1000,
    /** Given in percent. */
    loss: parseNumber('--loss', loss, 0, 99) / 100,
    named: !unnamed,
  }
}

/** `10x100` are ten sites of a hundred servers, `2,4,4` are three. The deploy host is in the first, beside these. */
function parseSites(text: string): number[] {
  const sites = parseList(text).flatMap((part) => {
    const [count = '', size] = part.split('x')
    if (size === undefined) return [parseCount('--sites', count, 0)]
    return Array.from({ length: parseCount('--sites', count) }, () => parseCount('--sites', size, 0))
  })
  if (sites.length < 2) throw new Error(`--sites ${text}: must be at least two, as in 4,4 or 10x100`)
  if (sites.every((count) => count === 0)) throw new Error(`--sites ${text}: must have a server`)
  return sites
}
