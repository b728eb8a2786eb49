import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type UserCommand, userCommandScript } from '../../../../src/deploy/scripts/user-command-script.ts'
import { remoteCommand, scriptLine } from '../../../../src/fleet/ssh/bootstrap.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's "))
  mkdirSync(join(root, 'there'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe.each([[['sh']], [['busybox', 'sh']], [['bash', '--posix']]])('in %j', ([shell = '', ...args]) => {
  const run = (command: string, more: Partial<UserCommand> = {}, how: { prints?: boolean } = {}) => {
    const script = userCommandScript(
      { commands: [command], within: [join(root, 'there')], env: {}, ...more },
      how,
    )
    return spawnSync(shell, [...args, '-c', script], { encoding: 'utf8', timeout: 20_000 })
  }

  test('its exit code and errors are those of the command', () => {
    expect(run('case "$(pwd)" in */there) ;; *) exit 9 ;; esac').status).toBe(0)
    expect(run("echo out; echo 'is ill' >&2; exit 3")).toMatchObject({
      status: 3,
      stdout: '',
      stderr: 'is ill\n',
    })
    expect(run('set -e; false; true')).toMatchObject({ status: 1 })
    expect(run('if')).not.toMatchObject({ status: 0 })
  })

  test('what it prints is passed on where it is wanted', () => {
    expect(run("printf 'a\\nb\\n'; echo oops >&2", {}, { prints: true })).toMatchObject({
      status: 0,
      stdout: 'a\nb\n',
      stderr: 'oops\n',
    })
  })

  test('several run one after the other, until one fails', () => {
    const several = (commands: string[]) => run('', { commands }, { prints: true })
    expect(several([])).toMatchObject({ status: 0, stdout: '' })
    expect(several(['x=1; echo a; exit 0', 'echo "b$x"'])).toMatchObject({ status: 0, stdout: 'a\nb\n' })
    expect(several(['set -e; false; echo a', 'echo b'])).toMatchObject({ status: 1, stdout: '' })
  })

  test('it reads nothing', () => expect(run('read -r x; [ -z "$x" ]').status).toBe(0))

  test.each([false, true])('it ends, also when it leaves a daemon that holds its outputs (%j)', (prints) => {
    const { status, signal } = run('sleep 30 & exit 4', {}, { prints })
    expect({ status, signal }).toEqual({ status: 4, signal: null })
  })

  test('what it has not done in time is ended, whole; what is in time stays and leaves no watch behind', async () => {
    const late = (command: string, timeoutS: number) => {
      const before = performance.now()
      const { status } = run(command, { timeoutS })
      return { status, seconds: Math.floor((performance.now() - before) / 1000) }
    }
    const left = () =>
      spawnSync('sh', ['-c', 'ps -A -o args= | grep "^sleep 71[.]"'], { encoding: 'utf8' }).stdout
    const { status, seconds } = late('( sleep 71.2; true ); true | { sleep 71.3; true; }', 1)
    expect(status).not.toBe(0)
    expect(seconds).toBeLessThan(15)
    await expect.poll(left).toBe('')
    expect(late('true', 70.4)).toMatchObject({ status: 0 })
    await expect.poll(left).toBe('')
  })

  test('when the deploy is gone, so is what it has begun; until then it runs', async () => {
    const script = userCommandScript({
      commands: ['sleep 72.1; echo next >&2', 'echo more >&2'],
      within: [root],
      env: {},
      isAttended: true,
    })
    const begun = () =>
      spawnSync('sh', ['-c', 'ps -A -o args= | grep -c "^sleep 72[.]"']).stdout.toString().trim()
    const child = spawn(shell, [...args, '-c', script], { stdio: ['pipe', 'ignore', 'pipe'] })
    const [said, closed] = [text(child.stderr), once(child, 'close')]
    child.stdin.write('\n\n')
    await expect.poll(begun).toBe('1')
    await setTimeout(300)
    expect(child.exitCode).toBeNull()
    child.stdin.end('\n')
    expect(await closed).toEqual([137, null])
    expect(await said).not.toMatch(/next|more/)
    await expect.poll(begun).toBe('0')
  })

  test('its variables have exactly these values', () => {
    const env = { A: 'x y', B: 'it\'s $HOME `id` \\ "', C: 'two\nlines', D: '' }
    const { stdout, status } = run(
      'printf "%s|" "$A" "$B" "$C" "$D"; export -p | grep -q "D="',
      { env },
      { prints: true },
    )
    expect({ stdout, status }).toEqual({ stdout: `${Object.values(env).join('|')}|`, status: 0 })
  })

  test('the first directory that is there', () => {
    const within = [join(root, 'lacking'), join(root, 'there')]
    expect(run('case "$PWD" in */there) ;; *) exit 9 ;; esac', { within }).status).toBe(0)
    const lost = run('true', { within: [join(root, 'lacking')] })
    expect(lost).toMatchObject({ status: 1, stderr: `${root}/lacking cannot be entered\n` })
  })
})

test('neither the command nor a value is on an argument list', () => {
  const command = 'for p in /proc/[0-9]*; do tr "\\0" " " <"$p/cmdline" 2>/dev/null; echo; done'
  const script = userCommandScript(
    { commands: [command], within: [root], env: { KEY: 'hunter2' } },
    { prints: true },
  )
  const output = execFileSync('sh', ['-c', remoteCommand(false)], {
    input: scriptLine(script),
    encoding: 'utf8',
  })
  expect(output).toContain('IFS= read -r s')
  expect(output).not.toContain('hunter2')
  expect(output).not.toContain('for p in /proc')
})
