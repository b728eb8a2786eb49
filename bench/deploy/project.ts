import { existsSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How the release travels: by shipit-deploy's own rsync, or by this plugin on top of shipit-deploy. */
export type Way = 'rsync' | 'murder'

const plugin = join(process.cwd(), 'dist', 'index.cjs')

/** Why a way can't take part; undefined when it can. */
export function missing(way: Way): string | undefined {
  return way === 'murder' && !existsSync(plugin) ? `${plugin} is missing: run npm run build` : undefined
}

export interface Project {
  directory: string
  repository: string
  workspace: string
}

/** A project as a user has it: package.json, installed packages and a shipitfile. `more`: what else its default has. */
export async function makeProject(
  root: string,
  way: Way,
  servers: string[],
  deployTo: string,
  identity: string,
  more: Record<string, unknown> = {},
): Promise<Project> {
  const project = {
    directory: join(root, 'project'),
    repository: join(root, 'repository'),
    workspace: join(root, 'workspace'),
  }
  for (const path of Object.values(project)) await mkdir(path, { recursive: true })
  await symlink(join(process.cwd(), 'node_modules'), join(project.directory, 'node_modules'))
  await writeFile(join(project.directory, 'package.json'), '{ "private": true }\n')
  const config = {
    default: {
      workspace: project.workspace,
      // The workspace stays, so that the releases on the servers can be compared with it.
      shallowClone: false,
      repositoryUrl: project.repository,
      branch: 'master',
      deployTo,
      key: identity,
      ignores: ['.git'],
      ...more,
    },
    // Servers run the agent on the Node that runs this bench.
    production: { servers: servers.map((address) => `root@${address}`), murder: { node: process.execPath } },
  }
  const plugins = ['shipit-deploy', ...(way === 'murder' ? [plugin] : [])]
  const lines = [
    ...plugins.map((name, i) => `const plugin${i} = require(${JSON.stringify(name)})`),
    'module.exports = (shipit) => {',
    ...plugins.map((_, i) => `  plugin${i}(shipit)`),
    `  shipit.initConfig(${JSON.stringify(config, null, 2)})`,
    '}',
  ]
  await writeFile(join(project.directory, 'shipitfile.js'), `${lines.join('\n')}\n`)
  return project
}
