import type * as z from 'zod'
import { namesBelow, type SettingInfo, settingInfos, valueAt } from './keys.ts'
import { sameName, suggest } from './suggest.ts'

/** `found` shows at most this many characters of a value. */
const MAX_SHOWN_LENGTH = 60

/** A value as messages show it: always one short line. */
export function found(value: unknown): string {
  const text = asText(value)
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH - 1)}…`
}

function asText(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' && typeof value !== 'string') return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return 'an object' // circular, or with a toJSON that throws
  }
}

/** Full name of a key, beginning with `murder`. A key that is no plain word is quoted, so that the message stays one line. */
export function fullKey(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (/^[\w$-]{1,60}$/.test(String(part)) ? String(part) : found(String(part))))
  return ['murder', ...parts].join('.')
}

/** One complete line about a key that is no setting. */
function unknownKey(above: string[], key: string, value: unknown): string {
  const names = namesBelow(above)
  const keys = settingInfos.map((info) => info.key)
  const near = suggest(key, names)
  const meant =
    keys.find((each) => sameName(each, key)) ??
    (near === undefined ? suggest(key, keys) : [...above, near].join('.'))
  const hint = meant === undefined ? '' : `did you mean ${fullKey(meant.split('.'))}? `
  return `${fullKey([...above, key])} (found ${found(value)}) is no setting: ${hint}allowed: ${names.join(', ')}`
}

/** One complete line about a setting's value. `variable` is given when it came from the environment. */
function wrongValue(info: SettingInfo, value: unknown, variable?: string): string {
  const name = variable === undefined ? fullKey(info.path) : `${variable} (${fullKey(info.path)})`
  const { allowed } = info.doc.kind
  const choices = /^[a-z]+(, [a-z]+)+$/.test(allowed) ? allowed.split(', ') : []
  const meant = typeof value === 'string' ? suggest(value, choices) : undefined
  const hint = meant === undefined ? '' : `did you mean ${meant}? `
  return `${name} is ${info.doc.kind.isSecret ? '***' : found(value)}: ${hint}allowed: ${allowed}`
}

/** The schema's issues with `input` in our words: one line for each setting, group or unknown key. */
export function problemsOf(
  error: z.ZodError,
  input: unknown,
  fromEnvironment: ReadonlyMap<string, { variable: string; text: string }>,
): string[] {
  const lines = new Map<string, string>()
  for (const issue of error.issues) {
    const path = issue.path.map(String)
    const info = settingInfos.find((each) => each.path.every((part, index) => part === path[index]))
    if (issue.code === 'unrecognized_keys' && info === undefined) {
      for (const key of issue.keys)
        lines.set([...path, key].join('.'), unknownKey(path, key, valueAt(input, [...path, key])))
      continue
    }
    if (info === undefined)
      lines.set(
        path.join('.'),
        `${fullKey(path)} is ${found(valueAt(input, path))}: allowed: an object with ${namesBelow(path).join(', ')}`,
      )
    else {
      const source = fromEnvironment.get(info.key)
      lines.set(info.key, wrongValue(info, source?.text ?? valueAt(input, info.path), source?.variable))
    }
  }
  return [...lines.values()]
}
