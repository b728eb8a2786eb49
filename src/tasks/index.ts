import { registerDeploy } from './deploy.ts'
import { registerClean } from './murder/clean.ts'
import { registerConfig } from './murder/config.ts'
import { registerCreateTorrent } from './murder/create-torrent.ts'
import { registerDistribute } from './murder/distribute.ts'
import { registerDoctor } from './murder/doctor.ts'
import { registerLock } from './murder/lock.ts'
import { registerMurderNames } from './murder/murder-names.ts'
import { registerPeer } from './murder/peer.ts'
import { registerSeed } from './murder/seed.ts'
import { registerSetup } from './murder/setup.ts'
import { registerStartTracker } from './murder/start-tracker.ts'
import { registerStatus } from './murder/status.ts'
import { registerStopPeering } from './murder/stop-peering.ts'
import { registerStopSeeding } from './murder/stop-seeding.ts'
import { registerStopTracker } from './murder/stop-tracker.ts'
import { registerRetry } from './retry.ts'
import { registerRollback } from './rollback.ts'
import type { Registration } from './task.ts'

/** Every task of the plugin. A new task file is added here and nowhere else. */
export const registrations: readonly Registration[] = [
  registerDeploy,
  registerRollback,
  registerRetry,
  registerConfig,
  registerLock,
  registerDoctor,
  registerSetup,
  registerCreateTorrent,
  registerStartTracker,
  registerStopTracker,
  registerSeed,
  registerStopSeeding,
  registerPeer,
  registerStopPeering,
  registerStatus,
  registerClean,
  registerDistribute,
  registerMurderNames,
]
