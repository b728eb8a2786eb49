import * as z from 'zod'
import { bytes, rate } from '../../text/format.ts'
import { asWritten, type Kind } from './kind.ts'

const sizes: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** `'1.5M'` → 1572864; NaN when it is not a number with an optional K, M or G. */
function sizeFromText(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMG])?$/i.exec(text.trim()) ?? []
  return digits === undefined ? Number.NaN : Math.round(Number(digits) * (sizes[unit.toUpperCase()] ?? 1))
}

/** A number of bytes that `accept` approves, as a number or as text. */
function sizeSchema(accept: (size: number) => boolean) {
  return z.union([z.number(), z.string()]).transform((value, context) => {
    const size = typeof value === 'number' ? value : sizeFromText(value)
    if (Number.isSafeInteger(size) && accept(size)) return size
    context.issues.push({ code: 'custom', input: value })
    return z.NEVER
  })
}

const limitSchema = sizeSchema((size) => size === 0 || size >= 1024)

export const limit: Kind<typeof limitSchema> = {
  schema: limitSchema,
  allowed:
    "bytes (not bits) a second, at least 1024, as a number or with K, M or G as in '10M'; 0 for no limit",
  fromText: asWritten,
  show: (value) => (value === 0 ? 'no limit' : rate(value)),
  toText: String,
}

const sizeOfSchema = sizeSchema((size) => size >= 0)

/** A number of bytes. */
export const size: Kind<typeof sizeOfSchema> = {
  schema: sizeOfSchema,
  allowed: "a number of bytes, or with K, M or G as in '500M'",
  fromText: asWritten,
  show: bytes,
  toText: String,
}

const pieceSchema = sizeSchema(
  (size) => size >= 16 * 1024 && size <= 16 * 1024 ** 2 && Number.isInteger(Math.log2(size)),
)

export const pieceLength: Kind<typeof pieceSchema> = {
  schema: pieceSchema,
  allowed: "a power of two from 16 KiB to 16 MiB, as a number of bytes or as in '256K'",
  fromText: asWritten,
  show: bytes,
  toText: String,
}
