import type { Picture } from './picture.ts'

/** When the transfer began, and the earliest time at which it could have ended on every server. */
export interface Limit {
  fromS: number
  untilS: number
}

/**
 * No server can have the release sooner than its size over the fastest rate that any link was seen to carry (S/B), however many
 * servers there are. Undefined before anything was measured.
 */
export function limitOf({ run, servers }: Picture): Limit | undefined {
  if (run.size === 0 || run.fastest === 0) return undefined
  const begun = servers.flatMap(({ spans }) => {
    const transfer = spans.find(([lane]) => lane === 'transfer')
    return transfer ? [transfer[1]] : []
  })
  if (begun.length === 0) return undefined
  const fromS = begun.reduce((least, atS) => Math.min(least, atS))
  return { fromS, untilS: fromS + run.size / run.fastest }
}
