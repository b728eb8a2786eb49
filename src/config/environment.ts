import { aliases, variableAliases } from './aliases.ts'
import { type SettingKey, settingInfos } from './keys.ts'
import { flag } from './kinds/words.ts'
import { found } from './problems.ts'
import { REMOVED } from './removed-settings.ts'
import { suggest } from './suggest.ts'

/** Variables of other features, which are not settings. */
const RESERVED = [
  'MURDER_DEBUG',
  'MURDER_OUTPUT',
  'MURDER_REPORT',
  'MURDER_METRICS',
  'MURDER_DRY_RUN',
  'MURDER_SERVERS',
  'MURDER_LOCK_REASON',
  'MURDER_RUN_DIR',
]

export interface FromEnvironment {
  variable: string
  text: string
  /** The value of the text, not yet checked. */
  value: unknown
}

/** The settings among the environment variables. An empty variable counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv): Map<SettingKey, FromEnvironment> {
  const values = new Map<SettingKey, FromEnvironment>()
  for (const { key, variable, doc } of settingInfos) {
    for (const name of [...variableAliases(key), variable]) {
      const text = env[name]
      if (text) values.set(key, { variable: name, text, value: doc.kind.fromText(text) })
    }
  }
  return values
}

/** Whether MURDER_DRY_RUN asks to change nothing on any server. */
export const isDryRun = (env: NodeJS.ProcessEnv = process.env): boolean =>
  flag.fromText(env.MURDER_DRY_RUN ?? '') === true

/** A line when MURDER_DRY_RUN is neither true nor false. Reading such a value as "no" would deploy for real. */
export function dryRunProblems(env: NodeJS.ProcessEnv): string[] {
  const text = env.MURDER_DRY_RUN
  if (!text || typeof flag.fromText(text) === 'boolean') return []
  return [`MURDER_DRY_RUN is ${found(text)}: allowed: ${flag.allowed}`]
}

/** One line for each unknown `MURDER_…` variable. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = [
    ...settingInfos.map((info) => info.variable),
    ...aliases.map(({ variable }) => variable),
    ...RESERVED,
  ]
  const gone = REMOVED.map(({ variable }) => variable)
  return Object.keys(env)
    .filter((name) => name.startsWith('MURDER_') && !known.includes(name) && !gone.includes(name))
    .sort()
    .map((name) => {
      const meant = suggest(
        name.slice('MURDER_'.length),
        known.map((each) => each.slice('MURDER_'.length)),
      )
      const hint = meant === undefined ? `allowed: ${known.join(', ')}` : `did you mean MURDER_${meant}?`
      const shown = /^\w{1,60}$/.test(name) ? name : found(name)
      return `${shown} (found ${found(env[name])}) is no variable of shipit-murder: ${hint}`
    })
}
