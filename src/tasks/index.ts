import { registerConfig } from './config.ts'
import { registerDeploy } from './deploy.ts'
import type { Registration } from './task.ts'

/** Every task of the plugin. A new task file is added here and nowhere else. */
export const registrations: readonly Registration[] = [registerDeploy, registerConfig]
