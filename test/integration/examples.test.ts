import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { root } from '../support/harness/packed-project.ts'

const execute = promisify(execFile)
let directory: string

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'examples-test-')))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

const tasks = ['deploy:update', 'murder:config', 'murder:seed']

test.each([
  ['shipitfile.ts', '{}'],
  ['shipitfile.js', '{}'],
  ['shipitfile.mjs', '{ "type": "commonjs" }'],
  ['shipitfile.mjs', '{ "type": "module" }'],
])('examples/minimal/%s loads in a project with %s', async (file, manifest) => {
  mkdirSync(join(directory, 'node_modules'))
  for (const name of ['shipit-cli', 'shipit-deploy', 'sucrase'])
    symlinkSync(join(root, 'node_modules', name), join(directory, 'node_modules', name))
  symlinkSync(root, join(directory, 'node_modules', 'shipit-murder'))
  writeFileSync(join(directory, 'package.json'), manifest)
  copyFileSync(join(root, 'examples/minimal', file), join(directory, file))
  const shipit = join(directory, 'node_modules/shipit-cli/bin/shipit')
  const { stdout } = await execute(process.execPath, [shipit, 'production', '--tasks'], { cwd: directory })
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(tasks))
})

test('this repository’s shipitfile says how to start a fleet when none runs', async () => {
  const failed = await shipitHere({ FLEET_FILE: join(directory, 'none.json') })
  expect(failed).toEqual({
    code: 1,
    stderr:
      'No example fleet is running — start one with `npm run fleet` in another terminal, or name servers in MURDER_SERVERS (user@host:port,…)\n',
  })
})

test('it takes the servers of MURDER_SERVERS instead', async () => {
  const { code, stdout } = await shipitHere({
    MURDER_SERVERS: 'deploy@a.example.com, deploy@b.example.com:2222',
    MURDER_SEEDER: 'b.example.com:2222',
    DEPLOY_TO: '/srv',
  })
  expect(stdout).toMatch(/^remotePath +\/srv\/production\/shared\/murder/m)
  expect(code).toBe(0)
})

test('npm run fleet: its servers are found, a second one is refused, Ctrl-C ends it', async () => {
  const state = join(directory, 'fleet.json')
  const fleet = spawn(process.execPath, ['scripts/fleet.mjs', '--count', '2', '--state', state], {
    cwd: root,
    env: { PATH: process.env.PATH, TMPDIR: directory },
  })
  onTestFinished(() => void fleet.kill('SIGKILL'))
  const lines = createInterface({ input: fleet.stdout })
  for await (const line of lines) if (line.includes('npx shipit production deploy')) break

  const { code, stdout } = await shipitHere({ FLEET_FILE: state })
  expect(stdout).toMatch(/^remotePath +\S+\/server-N\/production\/shared\/murder/m)
  expect(code).toBe(0)
  await expect(
    execute(process.execPath, ['scripts/fleet.mjs', '--state', state], { cwd: root }),
  ).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^A fleet is running already/) })

  fleet.kill('SIGINT')
  expect(await once(fleet, 'exit')).toEqual([0, null])
  // v8flags, a part of Shipit, keeps a hidden file there.
  expect(readdirSync(directory).filter((name) => !name.startsWith('.'))).toEqual([])
})

interface Ended {
  code: number
  stdout?: string
  stderr: string
}

async function shipitHere(env: NodeJS.ProcessEnv): Promise<Ended> {
  const args = ['node_modules/shipit-cli/bin/shipit', 'production', 'murder:config']
  const run = execute(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, NO_COLOR: '1', ...env },
  })
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stderr }: Ended) => ({ code, stderr }),
  )
}

/** `ssh` and `scp` to a host are a directory of that name: the example works with either. */
function standIns(): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const host = `host="${directory}/$1"; shift; cd "$host" || exit 1; export MURDER_RUN_DIR="$host/run"`
  const scripts = {
    ssh: `${host}; exec sh -c "$(printf %s "$*" | sed "s#${directory}/data#$host/data#")"`,
    scp: `[ "$1" = -q ] && shift; cp "$1" "$2" "${directory}/\${3%:}/"`,
  }
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return bin
}

test('examples/by-hand copies a directory to two machines and stops what it started', async () => {
  const data = join(directory, 'data')
  mkdirSync(join(data, 'inner'), { recursive: true })
  writeFileSync(join(data, 'inner', 'large'), Buffer.alloc(3_000_000, 'by hand '))
  writeFileSync(join(data, 'small'), 'x')
  for (const host of ['a', 'b']) mkdirSync(join(directory, host))
  const bin = standIns()
  const script = join(root, 'examples/by-hand/replicate.sh')
  const { stdout } = await execute('sh', [script, data, '127.0.0.1', 'a', 'b'], {
    env: {
      PATH: [bin, process.env.PATH].join(delimiter),
      TMPDIR: directory,
      MURDER_RUN_DIR: join(directory, 'run'),
    },
  })
  expect(stdout.match(/^Done and done$/gm)).toHaveLength(2)
  expect(stdout).toMatch(/^Stopped the tracker /m)
  expect(stdout).toMatch(/^Stopped the seeder /m)
  for (const host of ['a', 'b']) {
    execFileSync('diff', ['-r', '--exclude=.murder.mtree', data, join(directory, host, 'data')])
    execFileSync(join(root, 'dist/murder.mjs'), ['stop', '--all', '--run-dir', join(directory, host, 'run')])
  }
})

test('examples/by-hand says how to use it', async () => {
  const script = join(root, 'examples/by-hand/replicate.sh')
  const failed = await execute('sh', [script]).catch((error: Ended) => error)
  expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining('replicate.sh /data 10.0.0.1') })
  expect(readFileSync(script, 'utf8')).toContain(String(failed.stderr).split('\n')[0])
})
