import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import murder from '../../src/index.ts'
import {
  emptyDirectory,
  pack,
  project,
  registryReachable,
  root,
  run,
} from '../support/harness/packed-project.ts'
import { host } from '../unit/tasks/host.ts'

const require = createRequire(import.meta.url)
const { version, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The tasks of a Shipit with shipit-deploy and the plugin, from source. */
function expectedTasks(): string[] {
  const { shipit } = host()
  murder(shipit)
  return Object.keys(shipit.tasks).sort()
}

interface Lock {
  packages: Record<string, { dependencies?: Record<string, string>; hasInstallScript?: boolean }>
}

/** Everything that npm installed because of the dependencies of `name`, itself included. */
function closure(lock: Lock, name: string, found = new Set<string>()): Set<string> {
  const path = `node_modules/${name}`
  if (found.has(path)) return found
  found.add(path)
  for (const dependency of Object.keys(lock.packages[path]?.dependencies ?? {}))
    closure(lock, dependency, found)
  return found
}

describe.skipIf(!(await registryReachable()))('the packed package', () => {
  let directory: string
  let tarball: string
  let files: string[]

  beforeAll(async () => {
    directory = await emptyDirectory()
    ;({ tarball, files } = await pack(directory))
    await project(directory, [tarball, 'sucrase'])
  }, 300_000)

  afterAll(() => rm(directory, { recursive: true, force: true }))

  it('holds the built files, the documentation, and nothing else', () => {
    const documentation = files.filter((file) =>
      /^(docs\/[\w-]+\.(md|png)|examples\/(by-hand|ci|minimal)\/\w+\.\w+|bench\/(README\.md|results\/(delta|swarm)-[\d-]+\.svg)|(README|CHANGELOG|CONTRIBUTING|SECURITY|ARCHITECTURE)\.md)$/.test(
        file,
      ),
    )
    expect(files.filter((file) => !documentation.includes(file)).sort()).toEqual([
      'LICENSE',
      'dist/LICENSES.txt',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/murder.mjs',
      'dist/notify.mjs',
      'dist/page.css',
      'dist/page.js',
      'dist/sbom.cdx.json',
      'dist/shipit-deploy.d.ts',
      'dist/trace.mjs',
      'package.json',
    ])
  })

  it('holds what its documentation links to', async () => {
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      const text = await readFile(join(root, page), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        const target = join(dirname(page), link)
        expect(
          files.some((file) => file === target || file.startsWith(`${target}/`)),
          `${page}: ${link}`,
        ).toBe(true)
      }
    }
  })

  it('installs with plain npm i, with no install script of ours and no overrides', async () => {
    const lock: Lock = JSON.parse(await readFile(join(directory, 'package-lock.json'), 'utf8'))
    const ours = [...closure(lock, 'shipit-murder')]
    expect(ours.filter((path) => lock.packages[path]?.hasInstallScript)).toEqual([])
    expect(ours).toEqual(['node_modules/shipit-murder'])
    expect(Object.keys(lock.packages)).toEqual(
      expect.arrayContaining(Object.keys(peerDependencies).map((name) => `node_modules/${name}`)),
    )
    expect(JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))).not.toHaveProperty(
      'overrides',
    )
  })

  const loading = {
    'script.cjs': "const murder = require('shipit-murder'); check(murder, murder.default)",
    'script.mjs': "import murder from 'shipit-murder'; check(murder, murder)",
    'dynamic.cjs': "import('shipit-murder').then(({ default: murder }) => check(murder, murder))",
  }

  it.each(Object.entries(loading))('gives the plugin as a function: %s', async (file, source) => {
    const check = `
      function check(murder, same) {
        const load = process.getBuiltinModule('node:module').createRequire(${JSON.stringify(`${directory}/`)})
        const shipit = new (load('shipit-cli'))({ environment: 'test' })
        load('shipit-deploy')(shipit)
        murder(shipit)
        console.log(JSON.stringify({ same: murder === same, tasks: Object.keys(shipit.tasks).sort() }))
      }`
    await writeFile(join(directory, file), `${source}\n${check}`)
    const result = JSON.parse(await run(process.execPath, [file], directory))
    expect(result).toEqual({ same: true, tasks: expectedTasks() })
  })

  const shipitfiles = {
    'shipitfile.js': "require('shipit-deploy')(shipit); require('shipit-murder')(shipit)",
    'shipitfile.ts': 'deploy(shipit); murder(shipit)',
  }

  it.each(Object.entries(shipitfiles))('works in a %s', async (file, body) => {
    const rest = "shipit.initConfig({ production: { servers: ['deploy@a'] } })"
    const source = file.endsWith('.ts')
      ? `import deploy from 'shipit-deploy'
         import murder, { type Shipit } from 'shipit-murder'
         export default (shipit: Shipit) => { ${body}; ${rest} }`
      : `module.exports = (shipit) => { ${body}; ${rest} }`
    await writeFile(join(directory, file), source)
    const shipit = join(directory, 'node_modules/.bin/shipit')
    const tasks = await run(shipit, ['production', '--shipitfile', file, '--tasks'], directory)
    expect(tasks.trim().split('\n').sort()).toEqual(expectedTasks())
  })

  it('brings the program murder', async () => {
    const program = join(directory, 'node_modules/.bin/murder')
    expect((await run(program, ['--version'], directory)).trim()).toContain(version)
  })

  it('is clean for publint and are-the-types-wrong', async () => {
    await run(join(root, 'node_modules/.bin/publint'), ['--strict', tarball], directory)
    await run(join(root, 'node_modules/.bin/attw'), [tarball], directory)
  })

  describe('types', () => {
    const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc')
    const options = ['--strict', '--noEmit', '--target', 'es2022', '--types', '', '--ignoreConfig']

    async function check(
      file: string,
      source: string,
      module: string[],
      own: string[] = [],
    ): Promise<string> {
      await writeFile(join(directory, file), source)
      const done = run(process.execPath, [tsc, ...options, ...module, ...own, file], directory)
      return done.then(
        () => '',
        (error: Error) => error.message,
      )
    }

    const shipitfile = (settings: string) => `
      import deploy from 'shipit-deploy'
      import murder, { type MurderSettings, type Shipit } from 'shipit-murder'
      const shared: MurderSettings = { linger: 60 }
      export default (shipit: Shipit) => {
        deploy(shipit)
        murder(shipit)
        shipit.initConfig({
          default: { deployTo: '/srv/app', murder: { ...shared, ${settings} }, slack: { url: 'x' } },
          production: { servers: ['deploy@a', { host: 'c', user: 'deploy', port: 2222 }] },
        })
        shipit.on('updated', () => shipit.log(shipit.releasePath))
        shipit.blTask('restart', async () => {
          const [web] = await shipit.murder.servers({ role: 'web' }).run('systemctl restart app', { timeout: 5 })
          shipit.log(web?.server.label, web?.stdout)
        })
      }`
    const nodenext = ['--module', 'nodenext']
    const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler']

    it.each([
      ['shipitfile.ts', nodenext],
      ['shipitfile.mts', nodenext],
      ['shipitfile.ts', bundler],
    ])('check a %s with %j', async (file, module) => {
      const settings = "tracker: { port: 9000 }, seeder: 'local', compression: 'gzip'"
      expect(await check(`types-${file}`, shipitfile(settings), module)).toBe('')
    })

    it.each([[], nodenext, bundler])('check the example as it is, with %j', async (...module) => {
      const example = join(root, 'examples/minimal/shipitfile.ts')
      expect(await check('example.ts', await readFile(example, 'utf8'), module)).toBe('')
    })

    it.each([
      "declare module 'shipit-deploy'",
      "declare module 'shipit-deploy' { export default function deploy(shipit: any): void }",
    ])('do not clash with %s', async (own) => {
      await writeFile(join(directory, 'deploy.d.ts'), own)
      expect(await check('beside.mts', shipitfile(''), nodenext, ['deploy.d.ts'])).toBe('')
    })

    it('check require in TypeScript', async () => {
      const source = `
        import murder = require('shipit-murder')
        const settings: murder.MurderSettings = { linger: 5 }
        export = (shipit: murder.Shipit) => { murder(shipit); murder.default(shipit); return settings }`
      expect(await check('required.cts', source, nodenext)).toBe('')
    })

    it.each([
      ["tracker: { port: '9000' }", 'TS2322'],
      ["compression: 'lz4'", 'TS2322'],
      ['trakcer: { port: 9000 }', 'TS2561'],
    ])('refuse the setting %s', async (settings, code) => {
      expect(await check('wrong.mts', shipitfile(settings), nodenext)).toContain(code)
    })
  })
})
