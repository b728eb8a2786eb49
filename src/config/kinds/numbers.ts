import * as z from 'zod'
import { duration } from '../../text/format.ts'
import { asWritten, type Kind } from './kind.ts'

export const numberFromText = (text: string): unknown =>
  /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text.trim()) : text

const wholeNumberKind = (least: number, greatest: number): Kind<z.ZodInt> => ({
  schema: z.int().min(least).max(greatest),
  allowed: `a whole number from ${least} to ${greatest}`,
  fromText: numberFromText,
  show: String,
  toText: String,
})

export const port = wholeNumberKind(1, 65_535)

const rangeSchema = z
  .union([z.tuple([z.number(), z.number()]), z.number(), z.string()])
  .transform((value, context): [number, number] => {
    const [first, last] = Array.isArray(value) ? value : rangeFromText(String(value))
    const valid = [first, last].every((edge) => Number.isInteger(edge) && edge >= 1 && edge <= 65_535)
    if ((valid && first <= last) || (first === 0 && last === 0)) return [first, last]
    context.issues.push({ code: 'custom', input: value })
    return z.NEVER
  })

function rangeFromText(text: string): [number, number] {
  const [, first, last = first] = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(text) ?? []
  return [Number(first), Number(last)]
}

export const portRange: Kind<typeof rangeSchema> = {
  schema: rangeSchema,
  allowed: "first and last port, each 1 to 65535, as [6881, 6999] or '6881-6999'; 0 for any free port",
  fromText: asWritten,
  show: ([first, last]) => (last === 0 ? 'any free port' : `${first} to ${last}`),
  toText: (value) => (Array.isArray(value) ? value.join('-') : String(value)),
}

/** A week: long enough for anything, and far below the longest timer of Node. */
const MAX_SECONDS = 604_800
const secondsSchema = z.number().min(0).max(MAX_SECONDS)

export const seconds: Kind<typeof secondsSchema> = {
  schema: secondsSchema,
  allowed: `a number of seconds from 0 to ${MAX_SECONDS}`,
  fromText: numberFromText,
  show: duration,
  toText: String,
}

/** A timeout, where 0 means that there is none. */
export const timeout: Kind<typeof secondsSchema> = {
  ...seconds,
  allowed: `${seconds.allowed}, 0 for no limit`,
  show: (value) => (value === 0 ? 'no limit' : duration(value)),
}

export const retries = wholeNumberKind(0, 100)

export const concurrency = wholeNumberKind(1, 1000)
