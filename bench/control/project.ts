import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const plugin = join(process.cwd(), 'dist', 'index.cjs')

/** A project without a repository: what is in the workspace travels, all of it and as it is. */
export async function makeControlProject(
  root: string,
  { servers, identity }: { servers: string[]; identity: string },
): Promise<{ directory: string; workspace: string }> {
  const directory = join(root, 'project')
  const workspace = join(root, 'workspace')
  for (const path of [directory, workspace]) await mkdir(path, { recursive: true })
  await symlink(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'))
  await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
  const config = {
    default: { workspace, shallowClone: false, deployTo: '/srv/app', key: identity },
    production: {
      servers: servers.map((address) => `root@${address}`),
      // Sparse content would shrink to nothing, and its delta too; nothing is taken from the release before.
      murder: { node: process.execPath, compression: 'none', deltas: false },
    },
  }
  const lines = [
    `const plugins = [require('shipit-deploy'), require(${JSON.stringify(plugin)})]`,
    'module.exports = (shipit) => {',
    '  for (const plugin of plugins) plugin(shipit)',
    `  shipit.initConfig(${JSON.stringify(config, null, 2)})`,
    '}',
  ]
  await writeFile(join(directory, 'shipitfile.js'), `${lines.join('\n')}\n`)
  return { directory, workspace }
}
