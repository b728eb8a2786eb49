import type * as z from 'zod'
import type { Kind } from '../kinds/kind.ts'

/** Documentation of a setting. `example` is a value as in a shipitfile. */
export interface SettingDoc {
  description: string
  example: unknown
  kind: Kind
  /** Describes the default of a setting that has no default value. */
  unset?: string
}

/** Documentation of every setting by its schema. A schema is a setting when it is in here. */
export const settingDocs = new Map<z.ZodType, SettingDoc>()

/** A schema with its documentation. */
export function setting<S extends z.ZodType>(
  schema: S,
  kind: Kind<never> | Kind,
  doc: Omit<SettingDoc, 'kind' | 'example'> & { example: z.input<S> },
): S {
  settingDocs.set(schema, { ...doc, kind: kind as Kind })
  return schema
}
