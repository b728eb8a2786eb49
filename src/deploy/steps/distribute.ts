import { explain } from '../../errors.ts'
import type { Context } from '../context/context.ts'
import { say } from '../outcome/say.ts'
import { clean } from './clean.ts'
import { peer } from './peer.ts'
import { seed, stopSeeding } from './seed.ts'
import { setup } from './setup.ts'
import { stopPeering } from './stop-peering.ts'
import { stopTracker } from './tracker.ts'

/**
 * `murder:distribute`: setup, create_torrent, start_tracker, seed, peer; then stops everything and cleans, also after a
 * failure and after Ctrl-C.
 */
export async function distribute(context: Context): Promise<void> {
  let begun = false
  try {
    await setup(context)
    begun = true
    // Packages and starts the tracker too.
    await seed(context)
    await peer(context, 'stop')
  } finally {
    if (begun) await stopEverything(context)
  }
}

/** A failure here must not keep the others running or hide an earlier failure. */
async function stopEverything(context: Context): Promise<void> {
  for (const stop of [stopPeering, stopSeeding, stopTracker, clean]) {
    try {
      await stop(context)
    } catch (error) {
      say(context, explain(error))
    }
  }
}
