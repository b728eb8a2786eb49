import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { embedded } from '../harness/deploy-embedded.ts'
import { BREAK_CODE, CONFIG, makeRepository, nodeScript, plainCode } from './project.ts'
import { RandomServer } from './server.ts'
import type { Fleet } from './world.ts'

/** Three embedded servers, and a project on this machine. */
export async function embeddedFleet(): Promise<Fleet> {
  const mounts: string[] = []
  const { fleet, project, app, configure } = await embedded(3)
  onTestFinished(() => {
    for (const path of mounts) execFileSync('umount', ['-l', path])
  })
  const breakNode = (index: number, isBroken: boolean) =>
    writeFileSync(join(fleet.servers[index]?.home ?? '', 'node'), nodeScript(isBroken), { mode: 0o755 })
  const servers = fleet.servers.map((_, index) => {
    mkdirSync(app(index), { recursive: true })
    breakNode(index, false)
    return new RandomServer(app(index))
  })
  const target = {
    ...CONFIG,
    servers: fleet.remotes,
    key: fleet.keyPath,
    deployTo: join(fleet.home, 'app'),
    workspace: project.workspace,
    keepWorkspace: true,
    shallowClone: false,
  }
  const murder = { linger: 0, node: join(fleet.home, 'node') }
  configure({ ...CONFIG, murder }, { before: plainCode(target), after: BREAK_CODE })
  const repository = makeRepository(project.root)
  // One that is suspended, or was killed, may still have its port.
  let port = project.trackerPort
  return {
    servers,
    workspace: project.workspace,
    start(tasks, env) {
      const git: Record<string, string> = env.PLAIN ? { GIT_DIR: repository } : {}
      const running = project.start(tasks, { MURDER_TRACKER_PORT: String(port++), ...git, ...env })
      return {
        ended: running.ended.then(({ code, stdout, stderr }) => ({ code, text: `${stdout}${stderr}` })),
        signal(signal) {
          try {
            running.signal(signal)
          } catch {} // It has ended.
        },
      }
    },
    disconnect: (index) => fleet.servers[index]?.disconnect(),
    breakNode,
    mount(index, path) {
      const at = join(app(index), path)
      execFileSync('mount', ['--bind', join(app(index), 'behind'), at])
      mounts.push(at)
    },
  }
}
