import type { Race } from '../race.ts'

export interface Contender {
  /** What it is, for the report. */
  what: string
  /** Readies what it needs on this machine. Rejects with what is missing. */
  setUp(): Promise<void>
  /**
   * Readies tracker, seeder and torrent, calls `race.go()`, starts the peers, calls `race.done()` for each server as
   * soon as it has the content, and resolves when all have.
   */
  run(race: Race): Promise<void>
}
