import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { type ExampleFleet, startFleet } from '../../examples/fleet/index.ts'
import { pack, project, registryReachable, root } from '../support/harness/packed-project.ts'
import { killAll } from '../support/processes.ts'

/** What a job has: where it runs, and its variables. */
interface Job {
  home: string
  checkout: string
  env: Record<string, string>
}

/** How a job ended. */
interface Ended {
  code: number | null
  output: string
}

interface GitHubStep {
  run?: string
  env?: Record<string, string>
}

const read = (file: string) => parse(readFileSync(join(root, 'examples/ci', file), 'utf8'))

/** As GitHub's runner does it: each step in a shell of its own, `bash -e`, with its `env` filled in. */
async function runGitHub({ home, checkout, env }: Job, values: Record<string, string>): Promise<Ended> {
  const steps: GitHubStep[] = read('github.yml').jobs.deploy.steps
  let output = ''
  for (const { run, env: own = {} } of steps) {
    if (run === undefined) continue
    const filled = Object.entries(own).map(([name, own]) => [
      name,
      own.replace(/\$\{\{ (.*?) \}\}/g, (_, value: string) => values[value] ?? `no ${value}`),
    ])
    writeFileSync(join(home, 'step.sh'), run)
    const ended = await shell(['-e', join(home, 'step.sh')], checkout, {
      ...env,
      ...Object.fromEntries(filled),
    })
    output += ended.output
    if (ended.code !== 0) return { code: ended.code, output }
  }
  return { code: 0, output }
}

/** As GitLab's runner does it: all lines are one script, which ends with the first line that fails. */
function runGitLab({ checkout, env }: Job): Promise<Ended> {
  const { before_script, script } = read('gitlab.yml').deploy
  const lines = ['set -eo pipefail', 'set +o noclobber', ...before_script, ...script]
  return shell(['-c', lines.join('\n')], checkout, env)
}

async function shell(args: string[], cwd: string, env: Record<string, string>): Promise<Ended> {
  const child = spawn('bash', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await ended
  return { code, output: `${stdout}${stderr}` }
}

/** How people paste a key, or the host keys, into a variable. */
const pasted: [how: string, change: (text: string) => string][] = [
  ['as it is', (text) => text],
  ['with line breaks of Windows, without the last one', (text) => text.trimEnd().replaceAll('\n', '\r\n')],
]

describe.skipIf(!(await registryReachable()))('the workflows of examples/ci, run as jobs', () => {
  let directory: string
  let repository: string
  let fleet: ExampleFleet

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ci-test-'))
    repository = join(directory, 'repository')
    mkdirSync(repository)
    const { tarball } = await pack(repository)
    await project(repository, [tarball, 'shipit-cli', 'shipit-deploy'])
    rmSync(join(repository, 'node_modules'), { recursive: true })
    fleet = await startFleet({ count: 2, root: join(directory, 'fleet') })
    const servers = fleet.servers.map(({ user, host, port }) => `${user}@${host}:${port}`)
    writeFileSync(join(repository, 'shipitfile.js'), shipitfile(servers))
    for (const args of [
      ['init', '-q', '-b', 'main'],
      ['add', '.'],
      [...me, 'commit', '-qm', 'App'],
    ])
      execFileSync('git', args, { cwd: repository })
  }, 600_000)

  afterAll(async () => {
    killAll(directory)
    await fleet?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const me = ['-c', 'user.name=a', '-c', 'user.email=a@example.com']
  const shipitfile = (servers: string[]) => `module.exports = (shipit) => {
    require('shipit-deploy')(shipit)
    require('shipit-murder')(shipit)
    shipit.initConfig({
      default: { deployTo: '${fleet.home}/app', repositoryUrl: '${repository}', branch: 'main', ignores: ['.git'] },
      production: { servers: ${JSON.stringify(servers)} },
    })
  }`

  /** A new machine with a checkout, whose ssh has its files in the home directory that the shell has, and not in the user's. */
  function job(env: Record<string, string>): Job {
    const home = mkdtempSync(join(directory, 'job-'))
    onTestFinished(() => killAll(home))
    const checkout = join(home, 'checkout')
    execFileSync('git', ['clone', '-q', repository, checkout])
    const bin = join(home, 'bin')
    mkdirSync(bin)
    const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
    const options = `-i "$HOME/.ssh/id_ed25519" -o IdentityAgent=none -o UserKnownHostsFile="$HOME/.ssh/known_hosts"`
    writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nexec ${ssh} ${options} "$@"\n`)
    chmodSync(join(bin, 'ssh'), 0o755)
    const own = {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: home,
      TMPDIR: home,
      CI: 'true',
      npm_config_cache: join(directory, 'cache'), // as setup-node keeps it
      npm_config_prefer_offline: 'true',
      MURDER_TRACKER_PORT: String(12_000 + ((process.pid * 37) % 20_000)), // others run at the same time
    }
    return { home, checkout, env: { ...own, ...env } }
  }

  const gitHub = async (change: (text: string) => string) => {
    const made = job({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(directory, 'summary.md') })
    const { output, ...ended } = await runGitHub(made, {
      'secrets.DEPLOY_KEY': change(readFileSync(fleet.keyPath, 'utf8')),
      'vars.DEPLOY_KNOWN_HOSTS': change(readFileSync(fleet.knownHostsPath, 'utf8')),
    })
    return { ...made, output, ...ended }
  }

  const gitLab = async (change: (text: string) => string) => {
    const made = job({ GITLAB_CI: 'true' })
    const names = { DEPLOY_KEY: fleet.keyPath, DEPLOY_KNOWN_HOSTS: fleet.knownHostsPath }
    for (const [name, path] of Object.entries(names)) {
      made.env[name] = join(made.home, name)
      writeFileSync(join(made.home, name), change(readFileSync(path, 'utf8')))
    }
    return { ...made, ...(await runGitLab(made)) }
  }

  const released = () =>
    fleet.servers.every(({ home }) => existsSync(join(home, 'app/current/shipitfile.js')))

  test.each(pasted)('GitHub, with a key %s: deployed, with a summary', async (_, change) => {
    const { code, output } = await gitHub(change)
    expect(code, output).toBe(0)
    expect(released()).toBe(true)
    expect(readFileSync(join(directory, 'summary.md'), 'utf8')).toMatch(/```mermaid[\s\S]*xychart/)
  })

  test.each(pasted)('GitLab, with a key %s: deployed, in sections', async (_, change) => {
    const { code, output } = await gitLab(change)
    expect(code, output).toBe(0)
    expect(released()).toBe(true)
    expect(output).toMatch(/section_start:\d+:murder_\d+_check\r/)
    expect(output.match(/section_start/g)?.length).toBe(output.match(/section_end/g)?.length)
  })

  test('a key of which a line is missing: one clear line for all servers, and an annotation for each', async () => {
    const { code, output } = await gitHub((text) => text.replace(/(?<=BEGIN .*)\n.*\n/, '\n'))
    expect(code, output).toBe(1)
    expect(output).toMatch(/ssh cannot read the private key \S+\/id_ed25519: the file is damaged/)
    expect(output.match(/^::error title=.*is damaged — copy it again/gm), output).toHaveLength(2)
  })
})
