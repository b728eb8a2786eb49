import { fileURLToPath } from 'node:url'

/** Path of the built agent. `dist` is beside this file's directory both here (src) and in the package (dist). */
export const agentFile = fileURLToPath(new URL('../dist/murder.mjs', import.meta.url))
