import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plugin, settingsOf, usesPlugin, type Way } from './ways.ts'

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
    production: {
      servers: servers.map((address) => `root@${address}`),
      murder: { node: process.execPath, ...settingsOf(way) },
    },
  }
  const plugins = ['shipit-deploy', ...(usesPlugin(way) ? [plugin] : [])]
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
