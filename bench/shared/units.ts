const decimal = { K: 1e3, M: 1e6, G: 1e9 } as const
const binary = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 } as const

/** `20M` is 20 million, `50Mi` is 50 × 2^20. Of bytes or bits/s, as the option says. */
export function parseAmount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:([KMG])(i?))?$/i.exec(text.trim())
  if (!match) throw new Error(`"${text}" is not an amount such as 20M, 50Mi or 1.5G`)
  const unit = match[2]?.toUpperCase() as keyof typeof decimal | undefined
  return Math.round(Number(match[1]) * (unit ? (match[3] ? binary : decimal)[unit] : 1))
}

export const parseList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)

/** As `parseAmount` takes it, in the largest unit that is exact. */
function formatAmount(amount: number): string {
  for (const [factor, unit] of [
    [binary.G, 'Gi'],
    [decimal.G, 'G'],
    [binary.M, 'Mi'],
    [decimal.M, 'M'],
    [decimal.K, 'K'],
  ] as const) {
    if (amount >= factor && amount % factor === 0) return `${amount / factor}${unit}`
  }
  return String(amount)
}

/** `50 MiB`, `20 MB`. */
export const formatBytes = (amount: number): string => withUnit(amount, 'B')

/** `50 Mbit/s`. */
export const formatRate = (rate: number | undefined): string =>
  rate === undefined ? 'unlimited' : withUnit(rate, 'bit/s')

const withUnit = (amount: number, unit: string): string =>
  formatAmount(amount).replace(/([KMG]i?)?$/, (prefix) => ` ${prefix}${unit}`)

/** `0` is no limit. */
export function parseRate(text: string): number | undefined {
  const rate = parseAmount(text)
  return rate === 0 ? undefined : rate
}
