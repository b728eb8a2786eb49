import { registerClean } from './clean.ts'
import { registerConfig } from './config.ts'
import { registerCreateTorrent } from './create-torrent.ts'
import { registerDeploy } from './deploy.ts'
import { registerDistribute } from './distribute.ts'
import { registerDoctor } from './doctor.ts'
import { registerLock } from './lock.ts'
import { registerMurderNames } from './murder-names.ts'
import { registerPeer } from './peer.ts'
import { registerRetry } from './retry.ts'
import { registerRollback } from './rollback.ts'
import { registerSeed } from './seed.ts'
import { registerSetup } from './setup.ts'
import { registerStartTracker } from './start-tracker.ts'
import { registerStatus } from './status.ts'
import { registerStopPeering } from './stop-peering.ts'
import { registerStopSeeding } from './stop-seeding.ts'
import { registerStopTracker } from './stop-tracker.ts'
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
