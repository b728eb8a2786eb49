import * as z from 'zod'
import { isSiteName } from '../../protocol/site-name.ts'
import { rate } from '../../text/format.ts'
import type { Kind } from './kind.ts'
import { limit } from './sizes.ts'

/** The servers of one place, by their names in `servers`; `local` is the deploy host. */
export interface SiteSetting {
  name: string
  servers: string[]
  /** Bytes a second; 0 is no limit. */
  limit: number
}

const names = z.array(z.string().min(1).max(255))
const siteSchema = z.union([names, z.strictObject({ servers: names, limit: limit.schema.optional() })])

const sitesSchema = z
  .record(z.string().refine(isSiteName), siteSchema)
  .transform((sites): SiteSetting[] =>
    Object.entries(sites).map(([name, site]) =>
      Array.isArray(site)
        ? { name, servers: site, limit: 0 }
        : { name, servers: site.servers, limit: site.limit ?? 0 },
    ),
  )

/** `paris=a,b limit 10M; tokyo=c,d`. */
function fromText(text: string): unknown {
  const sites = text.split(';').filter((part) => part.trim() !== '')
  const entries = sites.map((part) => /^\s*([^\s=]+)\s*=([^=]*?)(?:\s+limit\s+(\S+))?\s*$/.exec(part))
  if (entries.some((entry) => entry === null)) return text
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, list = '', most] = entry ?? []
      const servers = list.split(',').flatMap((server) => server.trim() || [])
      return [name, most === undefined ? servers : { servers, limit: most }]
    }),
  )
}

function toText(sites: z.input<typeof sitesSchema>): string {
  const texts = Object.entries(sites).map(([name, site]) => {
    if (Array.isArray(site)) return `${name}=${site.join(',')}`
    return `${name}=${site.servers.join(',')}${site.limit === undefined ? '' : ` limit ${site.limit}`}`
  })
  return texts.join('; ')
}

function show(sites: SiteSetting[]): string {
  if (sites.length === 0) return 'none named'
  return sites
    .map(
      (site) => `${site.name}: ${site.servers.join(', ')}${site.limit === 0 ? '' : ` (${rate(site.limit)})`}`,
    )
    .join('; ')
}

export const sites: Kind<typeof sitesSchema> = {
  schema: sitesSchema,
  allowed:
    "names with their servers, as in { paris: ['a', 'b'], tokyo: { servers: ['c'], limit: '10M' } }, 'local' for the deploy host; as text 'paris=a,b; tokyo=c limit 10M'",
  fromText,
  show,
  toText,
}
