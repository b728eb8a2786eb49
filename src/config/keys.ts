import * as z from 'zod'
import { type Settings, schema } from './schema.ts'
import { type SettingDoc, settingDocs } from './sections/setting.ts'

/** Groups of settings. Values may be objects, too. */
type GroupName = 'tracker' | 'timeouts' | 'rollout' | 'local' | 'notify' | 'page'

type KeyOf<T> = {
  [K in keyof T & string]-?: K extends GroupName ? `${K}.${KeyOf<NonNullable<T[K]>>}` : K
}[keyof T & string]

/** Dotted name of a setting, such as `tracker.port`. */
export type SettingKey = KeyOf<Settings>

export interface SettingInfo {
  key: SettingKey
  path: string[]
  /** Name of the environment variable, such as `MURDER_TRACKER_PORT`. */
  variable: string
  doc: SettingDoc
  /** Undefined when there is no default value: then `doc.unset` describes the default. */
  default: unknown
}

const toVariable = (path: string[]) =>
  ['murder', ...path].map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')

function* walk(object: z.ZodObject, above: string[]): Generator<SettingInfo> {
  for (const [name, field] of Object.entries(object.shape)) {
    const path = [...above, name]
    const doc = settingDocs.get(field as z.ZodType)
    if (doc)
      yield {
        key: path.join('.') as SettingKey,
        path,
        variable: toVariable(path),
        doc,
        default: (field as z.ZodType).parse(undefined),
      }
    else if (field instanceof z.ZodPrefault) yield* walk(field.unwrap() as z.ZodObject, path)
    else throw new Error(`${path.join('.')} has neither documentation nor settings below it`)
  }
}

/** Every setting, in the order of the schema. */
export const settingInfos: readonly SettingInfo[] = [...walk(schema, [])]

/** The names that are allowed directly below `path`: settings and groups of settings. */
export function namesBelow(path: readonly string[]): string[] {
  const below = settingInfos.filter((info) => path.every((part, index) => info.path[index] === part))
  return [...new Set(below.map((info) => info.path[path.length] as string))]
}

/** The value at `path` inside nested objects; undefined where there is none. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (isGroup(value) && Object.hasOwn(value, part) ? value[part] : undefined),
    root,
  )
}

export function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
