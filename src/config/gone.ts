import { fullKey } from './problems.ts'

/** Settings that do nothing any more, each with what took its place. A shipitfile that has them still works. */
export const GONE: readonly { name: string; variable: string; now: string }[] = [
  {
    name: 'prefill',
    variable: 'MURDER_PREFILL',
    now: 'what servers have is reused by deltas (murder.deltas)',
  },
]

/** The settings without those that are gone, and a line about each that was given. */
export function leaveOutGone(
  file: Record<string, unknown>,
  env: NodeJS.ProcessEnv,
): { file: Record<string, unknown>; notes: string[] } {
  const left = { ...file }
  const notes = GONE.flatMap(({ name, variable, now }) => {
    const given = [...(env[variable] ? [variable] : []), ...(name in left ? [fullKey([name])] : [])]
    delete left[name]
    return given.length === 0 ? [] : [`${given.join(' and ')} does nothing any more: ${now}; remove it`]
  })
  return { file: left, notes }
}
