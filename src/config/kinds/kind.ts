import * as z from 'zod'
import { oneLine } from '../../text/format.ts'

/**
 * A kind of value: how it is checked and worded, and its text in an environment variable and in a table. `fromText` never
 * throws: text that it can't read it returns as it is, and the schema then refuses that.
 */
export interface Kind<S extends z.ZodType = z.ZodType> {
  schema: S
  /** Completes the sentence "allowed: …". */
  allowed: string
  fromText: (text: string) => unknown
  /** For people. */
  show: (value: z.output<S>) => string
  /** The inverse of `fromText`. */
  toText: (value: z.input<S>) => string
  /** The value is a secret and is never shown. */
  isSecret?: boolean
}

export const asWritten = (text: string) => text
export const trimmed = (text: string) => text.trim()
export const commaSeparated = (text: string) => text.split(',').map(trimmed).filter(Boolean)

/** No line breaks, no NUL: neither survives a shell and a log in one piece. */
export const isOneLine = (text: string) => !/[\n\r\0]/.test(text)

/** Text of one line. `fromText` is for the environment variable. */
export const textKind = <S extends z.ZodType<string, string>>(
  schema: S,
  allowed: string,
  fromText: (text: string) => unknown,
): Kind<S> => ({ schema, allowed, fromText, show: oneLine, toText: asWritten })

/** A list of lines, separated by commas in a variable. `empty` is what people read for an empty list. */
export const listKind = <S extends z.ZodType<string[], string[]>>(
  schema: S,
  allowed: string,
  empty: string,
): Kind<S> => ({
  schema,
  allowed,
  fromText: commaSeparated,
  show: (value) => (value.length === 0 ? empty : value.map(oneLine).join(', ')),
  toText: (value) => value.join(','),
})

export const oneOfKind = <const W extends readonly [string, ...string[]]>(words: W) => {
  const schema = z.enum(words)
  return { schema, allowed: words.join(', '), fromText: trimmed, show: String, toText: String }
}
