import { isGroup } from './keys.ts'
import { fullKey } from './problems.ts'

/** Settings that do nothing any more, each with what took its place. A shipitfile that has them still works. */
export const REMOVED: readonly { name: string; variable: string; now: string }[] = [
  {
    name: 'prefill',
    variable: 'MURDER_PREFILL',
    now: 'what servers have is reused by deltas (murder.deltas)',
  },
]

/** Layers without removed settings, and a line about each one that was given. A layer that is not an object stays as it is. */
export function withoutRemoved(
  layers: readonly unknown[],
  env: NodeJS.ProcessEnv,
): { layers: unknown[]; notes: string[] } {
  const left = layers.map((layer) => (isGroup(layer) ? { ...layer } : layer))
  const notes = REMOVED.flatMap(({ name, variable, now }) => {
    const having = left.filter(isGroup).filter((layer) => name in layer)
    for (const layer of having) delete layer[name]
    const given = [...(env[variable] ? [variable] : []), ...(having.length > 0 ? [fullKey([name])] : [])]
    return given.length === 0 ? [] : [`${given.join(' and ')} does nothing any more: ${now}; remove it`]
  })
  return { layers: left, notes }
}
