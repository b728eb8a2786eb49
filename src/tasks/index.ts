import { registerCleanReleases } from './deploy/clean.ts'
import { registerFetch } from './deploy/fetch.ts'
import { registerFinish } from './deploy/finish.ts'
import { registerInit } from './deploy/init.ts'
import { registerPublish } from './deploy/publish.ts'
import { registerUpdate } from './deploy/update.ts'
import { registerClean } from './murder/clean.ts'
import { registerCleanTempFiles } from './murder/clean-temp-files.ts'
import { registerConfig } from './murder/config.ts'
import { registerCreateTorrent } from './murder/create-torrent.ts'
import { registerDistribute } from './murder/distribute.ts'
import { registerDistributeFiles } from './murder/distribute-files.ts'
import { registerDoctor } from './murder/doctor.ts'
import { registerDownloadTorrent } from './murder/download-torrent.ts'
import { registerHistory } from './murder/history.ts'
import { registerLock } from './murder/lock.ts'
import { registerLockStatus } from './murder/lock-status.ts'
import { registerPeer } from './murder/peer.ts'
import { registerResume } from './murder/resume.ts'
import { registerSeed } from './murder/seed.ts'
import { registerSetup } from './murder/setup.ts'
import { registerStage } from './murder/stage.ts'
import { registerStartSeeding } from './murder/start-seeding.ts'
import { registerStartTracker } from './murder/start-tracker.ts'
import { registerStatus } from './murder/status.ts'
import { registerStopAllPeering } from './murder/stop-all-peering.ts'
import { registerStopAllSeeding } from './murder/stop-all-seeding.ts'
import { registerStopPeering } from './murder/stop-peering.ts'
import { registerStopSeeding } from './murder/stop-seeding.ts'
import { registerStopTracker } from './murder/stop-tracker.ts'
import { registerUnlock } from './murder/unlock.ts'
import { registerUnstage } from './murder/unstage.ts'
import { registerRetry } from './retry.ts'
import { registerRollback } from './rollback.ts'
import type { Registration } from './task.ts'

/** Every task of the plugin. A new task is added here and nowhere else. */
export const registrations: readonly Registration[] = [
  registerInit,
  registerFetch,
  registerUpdate,
  registerPublish,
  registerCleanReleases,
  registerFinish,
  registerRollback,
  registerRetry,
  registerResume,
  registerStage,
  registerUnstage,
  registerConfig,
  registerLock,
  registerUnlock,
  registerLockStatus,
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
  registerHistory,
  registerClean,
  registerDistribute,
  // Twitter's Murder has these names (docs/from-murder.md).
  registerDistributeFiles,
  registerStartSeeding,
  registerDownloadTorrent,
  registerStopAllSeeding,
  registerStopAllPeering,
  registerCleanTempFiles,
]
