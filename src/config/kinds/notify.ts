import * as z from 'zod'
import { asWritten, commaSeparated, type Kind, trimmed } from './kind.ts'

const webhookSchema = z.string().refine((text) => /^https?:\/\/\S+$/.test(text) && URL.canParse(text))

/** The path of a webhook is a secret: it gives the right to post. */
export const webhook: Kind<typeof webhookSchema> = {
  schema: webhookSchema,
  allowed: 'an address that begins with https:// or http://',
  fromText: trimmed,
  show: (value) => `${new URL(value).origin}/***`,
  toText: asWritten,
  isSecret: true,
}

const OCCASIONS = ['started', 'published', 'failed', 'reverted', 'rolledBack'] as const
/** Occasions on which a notice is sent. */
export type Occasion = (typeof OCCASIONS)[number]

const occasionsSchema = z.array(z.enum(OCCASIONS)).min(1)

export const occasions: Kind<typeof occasionsSchema> = {
  schema: occasionsSchema,
  allowed: `a list of ${OCCASIONS.join(', ')}`,
  fromText: commaSeparated,
  show: (value) => (new Set(value).size === OCCASIONS.length ? 'all of it' : value.join(', ')),
  toText: (value) => value.join(','),
}
