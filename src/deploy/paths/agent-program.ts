import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { agentFile } from '../../agent-file.ts'
import type { Settings } from '../../config/schema.ts'
import { MurderError } from '../../errors.ts'
import { sha256Of } from '../../files/hash.ts'

/** The built agent: its bytes, and its name on servers, which changes with its content. */
export interface Agent {
  content: Buffer
  sha256: string
  name: string
}

let loaded: Agent | undefined

export function agent(): Agent {
  if (loaded) return loaded
  let content: Buffer
  try {
    content = readFileSync(agentFile)
  } catch (cause) {
    throw new MurderError('NO_AGENT', `The agent is missing: ${agentFile}`, {
      cure: 'install shipit-murder again, or run `npm run build` in its checkout',
      cause,
    })
  }
  const sha256 = sha256Of(content)
  loaded = { content, sha256, name: `murder-${sha256.slice(0, 16)}.mjs` }
  return loaded
}

export const agentPath = ({ remotePath }: Pick<Settings, 'remotePath'>): string =>
  posix.join(remotePath, agent().name)
