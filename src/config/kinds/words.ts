import * as z from 'zod'
import { type Kind, oneOfKind } from './kind.ts'

export const compression = oneOfKind(['auto', 'brotli', 'gzip', 'zstd', 'none'])

export const reach = oneOfKind(['auto', 'direct', 'ssh'])

export const packageForm = oneOfKind(['file', 'directory'])

const words: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
}
const flagSchema = z.boolean()

export const flag: Kind<typeof flagSchema> = {
  schema: flagSchema,
  allowed: 'true or false',
  fromText: (text) => words[text.trim().toLowerCase()] ?? text,
  show: (value) => (value ? 'yes' : 'no'),
  toText: String,
}
