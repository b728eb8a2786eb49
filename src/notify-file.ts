import { fileURLToPath } from 'node:url'

/** Path of the built program that delivers notices: beside the agent. */
export const notifyFile = fileURLToPath(new URL('../dist/notify.mjs', import.meta.url))
