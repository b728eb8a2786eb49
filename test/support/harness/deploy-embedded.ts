import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ExampleFleet, startFleet } from '../../../examples/fleet/index.ts'
import type { ShipitConfig } from '../../../src/shipit.ts'
import { killAll } from '../processes.ts'
import { names, Project } from './deploy-project.ts'

export interface Embedded {
  project: Project
  fleet: ExampleFleet
  /** The directory of server `index` that `deployTo` is. */
  app(index: number): string
  /** What each server's `current` points to; undefined where there is none. */
  current(): (string | undefined)[]
  /** Writes the shipitfile for these servers; all unless told otherwise. */
  configure(config?: ShipitConfig, code?: { before?: string; after?: string }): void
  /** What a deploy may leave of itself on any server but releases: nothing. Partial releases included. */
  leftovers(): string[]
}

/** A project and a fleet of embedded servers, gone when the test ends. */
export async function embedded(count: number, config: ShipitConfig = {}): Promise<Embedded> {
  const project = new Project()
  const fleet = await startFleet({ count, root: join(project.root, 'fleet') })
  onTestFinished(async () => {
    killAll(project.root)
    await fleet.stop()
    project.remove()
  })
  const app = (index: number) => join(fleet.servers[index]?.home ?? '', 'app')
  const base: ShipitConfig = {
    servers: fleet.remotes,
    key: fleet.keyPath,
    deployTo: join(fleet.home, 'app'),
    ...config,
  }
  project.configure(base)
  return {
    project,
    fleet,
    app,
    current: () => fleet.servers.map((_, index) => link(join(app(index), 'current'))),
    configure: (more = {}, code = {}) => void project.configure({ ...base, ...more }, code),
    leftovers: () => [
      ...project.leftovers(),
      ...fleet.servers.flatMap((_, index) => [
        ...names(app(index), 'shared/murder/tmp'),
        ...names(app(index), 'releases').filter((name) => !/^\d{14}$/.test(name)),
      ]),
    ],
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
