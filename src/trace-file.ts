import { fileURLToPath } from 'node:url'

/** Path of the built program that sends a trace: beside the agent. */
export const traceFile = fileURLToPath(new URL('../dist/trace.mjs', import.meta.url))
