import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  furtherScript,
  HAS_ENDED,
  SAID_ALL,
  stay,
  UPTIME,
} from '../../../src/fleet/persistent-shell-script.ts'

const shells = [['sh'], ['bash'], ['busybox', 'sh'], ['zsh', '--emulate', 'sh']].filter(([name = '']) => {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`]).length > 0
  } catch {
    return false
  }
})

let child: ChildProcess
afterEach(() => void child.kill('SIGKILL'))

/** A shell that stays; gives what it says, up to a number of times that it has said all. */
function standing([program = '', ...args]: string[], uptime = UPTIME) {
  const script = `trap 'echo gone' EXIT; value=own; cd /\n${stay('echo pulse').replace(UPTIME, uptime)}`
  child = spawn(program, [...args, '-c', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  const until = async (what: string) => {
    while (!said.includes(what)) await once(child.stdout as never, 'data')
    const before = said.slice(0, said.indexOf(what))
    said = said.slice(said.indexOf(what) + what.length)
    return before
  }
  return { until, send: (text: string) => child.stdin?.write(text), end: () => child.stdin?.end() }
}

describe.each(shells.map((shell) => ({ shell })))('$shell', ({ shell }) => {
  it('runs scripts beside its signs of life, and none changes it', async () => {
    const { until, send, end } = standing(shell)
    await until(`${SAID_ALL}\n`)
    send(furtherScript("printf 'a  b\\nno end'; echo \"it's wrong\" >&2; cd /tmp; value=other; exit 3"))
    expect(await until(`${SAID_ALL}\n`)).toBe(`a  b\nno end\n${HAS_ENDED}\n3\nit's wrong\n`)
    send(furtherScript('cat\npwd; echo "$value\\t"; false'))
    expect(await until(`${SAID_ALL}\n`)).toMatch(new RegExp(`^/\nown(\\\\t|\t)\n\n${HAS_ENDED}\n1\n\n$`))
    send(furtherScript('sleep 0.3; echo late'))
    send('\n')
    expect(await until('late')).toBe('pulse\n')
    await until(`${SAID_ALL}\n`)
    end()
    expect(await until('gone')).toBe('')
  })

  it('runs nothing that a silent network has kept, also behind signs of life that it has kept', async () => {
    const clock = join(mkdtempSync(join(tmpdir(), 'hold-')), 'clock')
    writeFileSync(clock, '1000.25 2000.50\n')
    const { until, send, end } = standing(shell, clock)
    await until(`${SAID_ALL}\n`)
    writeFileSync(clock, '1010.25 2000.50\n')
    send('\n')
    await until('pulse\n')
    writeFileSync(clock, '1034.25 2000.50\n')
    send(furtherScript('echo in time'))
    expect(await until(`${SAID_ALL}\n`)).toContain('in time')
    writeFileSync(clock, '1060.25 2000.50\n')
    send(`\n${furtherScript('echo late')}`)
    expect(await until(`${SAID_ALL}\n`)).toBe(`pulse\n\n${HAS_ENDED}\n255\n\n`)
    send('\n')
    expect(await until('pulse\n')).toBe('')
    end()
    await until('gone')
    rmSync(dirname(clock), { recursive: true })
  })
})
