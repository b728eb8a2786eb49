import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { embedded } from '../support/harness/deploy-embedded.ts'

const root = process.cwd()

/** `typed`: what only TypeScript understands. */
const shipitfile = (config: object, { typed = false } = {}) => `
import deploy from 'shipit-deploy'
import murder${typed ? ', { type Shipit }' : ''} from 'shipit-murder'

export default (shipit${typed ? ': Shipit' : ''}) => {
  deploy(shipit)
  murder(shipit)
  shipit.on('published', async () => {
    await shipit.murder${typed ? '!' : ''}.servers({ role: 'web' }).run('echo "listener $NAME" >>"$LOG"')
  })
  shipit.initConfig(${JSON.stringify(config)})
}
`

const say = (word: string) => `echo "${word} $NAME $(basename "$PWD")" >>"$LOG"`

test.each([
  ['shipitfile.mjs', '{}'],
  ['shipitfile.mjs', '{ "type": "module" }'],
  ['shipitfile.js', '{ "type": "module" }'],
  ['shipitfile.ts', '{}'],
  ['shipitfile.ts', '{ "type": "module" }'],
])('%s in a project with %s rolls out and back in groups', async (file, manifest) => {
  const { project, fleet, current, leftovers } = await embedded(2)
  const modules = join(project.directory, 'node_modules')
  mkdirSync(modules)
  for (const name of ['shipit-cli', 'shipit-deploy', 'sucrase'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  symlinkSync(root, join(modules, 'shipit-murder'))
  rmSync(join(project.directory, 'shipitfile.js'))
  writeFileSync(join(project.directory, 'package.json'), manifest)
  const log = join(project.root, 'said')
  const servers = fleet.remotes.map((remote, index) => ({
    ...(remote as object),
    label: 'ab'[index],
    roles: index === 0 ? 'web' : 'db',
    env: { LOG: log, NAME: 'ab'[index] },
  }))
  const config = {
    default: {
      deployTo: join(fleet.home, 'app'),
      key: fleet.keyPath,
      workspace: project.workspace,
      keepWorkspace: true,
      shallowClone: false,
      murder: { linger: 0, rollout: { groups: 'role', before: say('before') } },
    },
    test: { servers, murder: { activate: { web: say('activate') }, rollout: { after: say('after') } } },
  }
  writeFileSync(join(project.directory, file), shipitfile(config, { typed: file.endsWith('.ts') }))
  const said = () => {
    const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
    rmSync(log, { force: true })
    return text.trim().split('\n')
  }
  const each = (before: string) => [
    `before a ${before}`,
    'activate a current',
    'after a current',
    `before b ${before}`,
    'after b current',
    'listener a',
  ]
  for (const content of ['one', 'two']) {
    writeFileSync(join(project.workspace, 'file'), content)
    const run = await project.run()
    expect(run, run.stdout + run.stderr).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain('Publishing group 2 of 2 (db): b')
    expect(said()).toEqual(each(content === 'one' ? 'app' : 'current'))
  }
  const [newest] = current()
  const back = await project.run('rollback')
  expect(back, back.stdout + back.stderr).toMatchObject({ code: 0, stderr: '' })
  expect(said()).toEqual(each('current'))
  expect(current()[0]).not.toBe(newest)
  expect(leftovers()).toEqual([])
})
