import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledAgent, freePort, Sandbox } from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await Sandbox.make(bundled.program)
  mkdirSync(sandbox.path('bin'))
  await sandbox.file('bin/murder', `#!/bin/sh\nexec ${process.execPath} ${bundled.program} "$@"\n`)
  chmodSync(sandbox.path('bin/murder'), 0o755)
  await sandbox.run(['tracker', '--port', String(await freePort()), '--tag', 'near-1'])
})
afterAll(() => sandbox.end())

async function inShell(shell: string, args: string[], script: string): Promise<string[]> {
  const env = { HOME: sandbox.directory, TERM: 'dumb', MURDER_RUN_DIR: sandbox.runs }
  const { stdout } = await promisify(execFile)(shell, [...args, '-c', script], {
    cwd: sandbox.directory,
    env: { ...env, PATH: `${sandbox.path('bin')}:${process.env.PATH}` },
  })
  return stdout.split('\n').filter((line) => line !== '')
}

const bash = (...words: string[]) =>
  inShell(
    'bash',
    ['--norc'],
    `source <(murder completion bash); COMP_WORDS=(murder ${words.join(' ')}); COMP_CWORD=${words.length}
     _murder; printf '%s\\n' "\${COMPREPLY[@]}"`,
  )

describe('completion', () => {
  it('completes commands, flags and running tags in bash', async () => {
    expect(await bash('sta')).toEqual(['status'])
    expect(await bash('peer', '--no-l')).toEqual(['--no-linger'])
    expect(await bash('stop', 'ne')).toEqual(['near-1'])
    expect(await bash('peer', 'x')).toEqual([])
  })

  it.skipIf(!isThere('fish'))('and in fish, with files where a path is wanted', async () => {
    const fish = (line: string) =>
      inShell('fish', ['--no-config'], `murder completion fish | source; complete -C '${line}'`)
    expect(await fish('murder sta')).toEqual(['status'])
    expect(await fish('murder peer --no-l')).toEqual(['--no-linger'])
    expect(await fish('murder stop ne')).toEqual(['near-1'])
    expect(await fish('murder peer bi')).toEqual(['bin/'])
    await sandbox.file('a file.torrent', '')
    expect(await fish(String.raw`murder peer a\\ fi`)).toEqual(['a file.torrent'])
  })

  it.skipIf(!isThere('zsh'))('and in zsh, at the keyboard', async () => {
    const typed = await inShell(
      'zsh',
      ['-f'],
      `zmodload zsh/zpty
       zpty shell "PS1= zsh -f -i"
       zpty -w shell 'autoload -Uz compinit; compinit -u -D; source <(murder completion zsh); print REA""DY'
       zpty -r shell line '*READY*'
       for line in 'murder sta' 'murder peer --no-l' 'murder stop ne' 'murder peer bi'; do
         zpty -w -n shell "$line"$'\\t'
         sleep 1
         zpty -w -n shell $' end\\C-u'
       done
       sleep 1
       while zpty -r -t shell line; do print -rn -- "$line"; done`,
    )
    const text = typed.join('\n')
    for (const completed of ['murder status', 'peer --no-linger', 'stop near-1', 'peer bin/']) {
      expect(text).toContain(completed)
    }
  })
})
