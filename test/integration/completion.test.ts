import { execFile, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { promisify, stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { bundledAgent, freePort, Sandbox } from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
const isThere = (program: string) => spawnSync(program, ['--version']).status === 0
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await Sandbox.make(bundled.program)
  mkdirSync(sandbox.path('bin'))
  await sandbox.file('bin/murder', `#!/bin/sh\nexec ${process.execPath} ${bundled.program} "$@"\n`)
  chmodSync(sandbox.path('bin/murder'), 0o755)
  await sandbox.run(['tracker', '--port', String(await freePort()), '--tag', 'near-1'])
})
afterAll(() => sandbox.end())

const environment = () => ({
  HOME: sandbox.directory,
  TERM: 'dumb',
  MURDER_RUN_DIR: sandbox.runs,
  PATH: `${sandbox.path('bin')}:${process.env.PATH}`,
})

async function inShell(shell: string, args: string[], script: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(shell, [...args, '-c', script], {
    cwd: sandbox.directory,
    env: environment(),
  })
  return stdout.split('\n').filter((line) => line !== '')
}

/** What is typed before Tab is pressed, and what is on the screen then. */
const typed: [line: string, becomes: string][] = [
  ['murder sta', 'murder status '],
  ['murder peer --no-l', 'murder peer --no-linger '],
  ['murder stop ne', 'murder stop near-1 '],
  ['murder peer bi', 'murder peer bin/'],
  ['murder peer --tag=ne', 'murder peer --tag=near-1 '],
  ['murder peer --tag=', 'murder peer --tag=near-1 '],
  ['murder peer --from=bi', 'murder peer --from=bin/'],
  ['murder peer --tag=x --fr', 'murder peer --tag=x --from '],
]
/** Deletes the line that was begun. */
const CTRL_U = '\u0015'

/** Types all lines in an interactive shell; resolves once each has become what it should. */
async function typeIn(shell: string, prepare: string): Promise<void> {
  const terminal = spawn('script', ['-qec', shell, '/dev/null'], {
    env: environment(),
    cwd: sandbox.directory,
  })
  onTestFinished(() => void terminal.kill('SIGKILL'))
  let screen = ''
  terminal.stdout.on('data', (chunk: Buffer) => {
    screen = stripVTControlCharacters(screen + chunk)
  })
  const shows = (text: string) => expect.poll(() => screen, { timeout: 20_000 }).toContain(text)
  terminal.stdin.write(`${prepare}; echo REA""DY\n`)
  await shows('READY\r\n')
  for (const [line, becomes] of typed) {
    screen = ''
    terminal.stdin.write(`${line}\t`)
    await shows(becomes)
    terminal.stdin.write(CTRL_U)
  }
}

describe('completion', () => {
  it.skipIf(!isThere('script'))('completes commands, flags, running tags and files in bash', async () => {
    await typeIn('PS1= bash --norc -i', 'source <(murder completion bash)')
  })

  it.skipIf(!isThere('fish'))('and in fish, with files where a path is wanted', async () => {
    const fish = (line: string) =>
      inShell('fish', ['--no-config'], `murder completion fish | source; complete -C '${line}'`)
    expect(await fish('murder sta')).toEqual(['status'])
    expect(await fish('murder peer --no-l')).toEqual(['--no-linger'])
    expect(await fish('murder stop ne')).toEqual(['near-1'])
    expect(await fish('murder peer bi')).toEqual(['bin/'])
    expect(await fish('murder peer --tag=ne')).toEqual(['--tag=near-1'])
    expect(await fish('murder peer --from=bi')).toEqual(['--from=bin/'])
    await sandbox.file('a file.torrent', '')
    expect(await fish(String.raw`murder peer a\\ fi`)).toEqual(['a file.torrent'])
    expect(await fish(String.raw`murder peer --from=a\\ fi`)).toEqual(['--from=a file.torrent'])
  })

  it.skipIf(!isThere('script') || !isThere('zsh'))('and in zsh', async () => {
    const load = 'autoload -Uz compinit; compinit -u -D; source <(murder completion zsh)'
    await typeIn('PS1= zsh -f -i', load)
  })
})
