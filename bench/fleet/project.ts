import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StubFleet } from '../../test/support/stub-fleet/stub-fleet.ts'

const plugin = join(process.cwd(), 'dist', 'index.cjs')

/** Memory in bytes and CPU seconds of `npx shipit` itself: without its children. */
export interface Cost {
  memory: number
  cpu: number
}

/** A project whose shipitfile also writes what the process has cost, as a `Cost`, to the file at `costFile`. */
export interface Project {
  directory: string
  workspace: string
  costFile: string
}

export function makeFleetProject(root: string, fleet: StubFleet): Project {
  const [directory, workspace, costFile] = ['project', 'workspace', 'cost.json'].map((name) =>
    join(root, name),
  ) as [string, string, string]
  for (const path of [directory, workspace]) mkdirSync(path, { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  const config = {
    default: { workspace, shallowClone: false, keepWorkspace: true, deployTo: '/srv/app' },
    production: { servers: fleet.servers, murder: { node: fleet.node } },
  }
  const lines = [
    `const plugins = [require('shipit-deploy'), require(${JSON.stringify(plugin)})]`,
    'module.exports = (shipit) => {',
    '  for (const plugin of plugins) plugin(shipit)',
    `  shipit.initConfig(${JSON.stringify(config, null, 2)})`,
    "  process.once('exit', () => {",
    '    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()',
    '    const cost = { memory: maxRSS * 1024, cpu: (userCPUTime + systemCPUTime) / 1e6 }',
    `    require('fs').writeFileSync(${JSON.stringify(costFile)}, JSON.stringify(cost))`,
    '  })',
    '}',
  ]
  writeFileSync(join(directory, 'shipitfile.js'), `${lines.join('\n')}\n`)
  return { directory, workspace, costFile }
}
