import { posix } from 'node:path'
import * as z from 'zod'
import { isTag } from '../../protocol/tag.ts'
import { oneLine } from '../../text/format.ts'
import { asWritten, isOneLine, type Kind, listKind, textKind, trimmed } from './kind.ts'

const pathSchema = z
  .string()
  .refine((text) => text.startsWith('/') && isOneLine(text))
  .transform((text) => text.replace(/(?<=.)\/+$/, ''))

export const path = textKind(pathSchema, 'an absolute path without line breaks', asWritten)

/** `..` would be resolved differently by programs and by the symlinks on the way. */
const isPlaceOfItsOwn = (text: string) => posix.normalize(text) !== '/' && !text.split('/').includes('..')

/** A directory in which a deploy makes releases, and removes old ones. */
export const deployTo = textKind(
  pathSchema.refine(isPlaceOfItsOwn),
  "an absolute path below '/', without '..' and line breaks",
  asWritten,
)

export const localPath = textKind(
  z.string().min(1).refine(isOneLine),
  'a path without line breaks; a relative one starts at the shipitfile’s directory',
  asWritten,
)

export const tag = textKind(
  z.string().refine(isTag),
  'letters, digits, ".", "_" and "-", beginning with a letter or a digit',
  trimmed,
)

/** A program that is on the servers. */
export const program = textKind(
  z.string().refine((text) => /^[^-\s]/.test(text) && isOneLine(text)),
  'the name or path of a program, without arguments and line breaks',
  asWritten,
)

const nodeSchema = z.union([program.schema, z.strictObject({ bring: localPath.schema })])

/** Node on the servers: where it is, or that it is brought. */
export const node: Kind<typeof nodeSchema> = {
  schema: nodeSchema,
  allowed:
    "the name or path of a program without arguments, 'bring', or { bring: 'path' } with a program on the deploy host (as a variable bring:path)",
  fromText: (text) => (text.startsWith('bring:') ? { bring: text.slice('bring:'.length) } : text),
  show: (value) =>
    value === 'bring'
      ? 'brought where there is none'
      : typeof value === 'string'
        ? oneLine(value)
        : `${oneLine(value.bring)}, brought where there is none`,
  toText: (value) => (typeof value === 'string' ? value : `bring:${value.bring}`),
}

const patternsSchema = z.array(z.string().min(1).refine(isOneLine))

export const patterns = listKind(patternsSchema, "a list of patterns such as ['*.log', '/tmp']", 'nothing')
