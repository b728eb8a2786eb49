import { fileURLToPath } from 'node:url'

/** Paths of the built script and style of the page: beside the agent. */
export const pageScriptFile = fileURLToPath(new URL('../dist/page.js', import.meta.url))
export const pageStyleFile = fileURLToPath(new URL('../dist/page.css', import.meta.url))
