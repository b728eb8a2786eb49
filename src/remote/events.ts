import type { AgentEvent } from '../agent/contract.ts'

/**
 * The agent's event in a line of its output, or undefined for anything else that a server may print in between.
 * Only the shape is checked: an object with a name. Whoever reads the fields must not trust them.
 */
export function parseEvent(line: string): AgentEvent | undefined {
  const text = line.trim()
  if (!text.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isEvent(value) ? value : undefined
  } catch {
    return undefined // Not JSON after all: noise, which is what this function is there to skip.
  }
}

function isEvent(value: unknown): value is AgentEvent {
  return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'
}
