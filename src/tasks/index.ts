import type { Shipit } from '../shipit.ts'

/** Adds one task, or a few that belong together, to a host that has shipit-deploy's tasks already. */
export type Registration = (shipit: Shipit) => void

/** Every task of the plugin. A new task file is added here and nowhere else. */
export const registrations: readonly Registration[] = []
