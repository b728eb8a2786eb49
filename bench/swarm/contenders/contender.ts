import type { Race } from '../race.ts'

export interface Contender {
  /** What it is, for the report. */
  what: string
  /** Readies what it needs on this machine. Rejects with what is missing. */
  setUp(): Promise<void>
  /**
   * Readies tracker, seeder and torrent, and runs the peers (`race.runPeers`), or calls `race.go()`, and then `race.done()`
   * for each server as soon as it has the content. Resolves when all have.
   */
  run(race: Race): Promise<void>
}
