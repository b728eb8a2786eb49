import { spawnSync } from 'node:child_process'
import { accessSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { remoteCommand, START_MARK, scriptLine } from '../../../src/fleet/ssh/bootstrap.ts'
import { command, quote, quotePath } from '../../../src/text/shell-quote.ts'

const shells = [['sh'], ['dash'], ['bash'], ['busybox', 'sh'], ['zsh', '--emulate', 'sh']].filter(([name]) =>
  (process.env.PATH ?? '').split(':').some((directory) => {
    try {
      accessSync(`${directory}/${name}`)
      return true
    } catch {
      return false // Not in this directory of PATH.
    }
  }),
)

const nasty = [
  '',
  ' ',
  '-rf',
  "'",
  `it's "quoted"`,
  '$(touch hacked)',
  '`touch hacked`',
  '$HOME $' + '{PATH} $$ $?',
  '\\',
  '\\n\\\\',
  'a\\',
  '%s %b %%',
  'two\nlines\n',
  '\n',
  '\r\n\t\u0001\u007f',
  '; & | < > ( ) { } [ ] * ? ~ # !',
  'ünïcödé 日本語 🎉',
  // Bytes that dash uses internally as control characters (0x81 to 0x88).
  '\u0081\u0082\u0088 ぁあぃ',
]

describe.each(shells)('quoting in %s', (...words) => {
  const [shell, ...flags] = words as [string, ...string[]]
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' }

  /** What `printf` gets as its arguments when the values are quoted into a script that comes the way it does over SSH. */
  function roundTrip(values: string[], environment: Record<string, string> = env): string[] {
    const bootstrap = remoteCommand(false).match(/'(.*)'/s)?.[1] ?? ''
    const input = scriptLine(`printf '%s\\0' ${values.map(quote).join(' ')}; cat`)
    const result = spawnSync(shell, [...flags, '-c', bootstrap], {
      input: Buffer.concat([input, Buffer.from('the payload')]),
      env: environment,
    })
    const [, printed] = result.stdout.toString().split(`\n${START_MARK}\n`)
    const words = (printed ?? '').split('\0')
    expect(words.pop()).toBe('the payload')
    return words
  }

  test('every nasty value arrives as it was', () => {
    expect(roundTrip(nasty)).toEqual(nasty)
    expect(roundTrip(nasty, { ...env, LC_ALL: 'C.UTF-8' })).toEqual(nasty)
  })

  test('random mixtures arrive as they were', () => {
    const random = generator(20)
    const alphabet = [...'`$\\"\'! \n\t;&|<>(){}[]*?~#-%=/abc0é日🎉', '$(', '${', '\\n', '\\0', "'\\''"]
    const pick = () => alphabet[Math.floor(random() * alphabet.length)] ?? ''
    const values = Array.from({ length: 300 }, () =>
      Array.from({ length: Math.floor(random() * 12) }, pick).join(''),
    )
    expect(roundTrip(values)).toEqual(values)
  })

  test('a script that was cut off does not run', () => {
    const bootstrap = remoteCommand(false).match(/'(.*)'/s)?.[1] ?? ''
    const result = spawnSync(shell, [...flags, '-c', bootstrap], { input: 'echo ran', env })
    expect(result.stdout.toString()).toBe('')
    expect(result.status).not.toBe(0)
  })
})

test('the text of remote commands survives the quoting of ssh-pool and sudo', () => {
  for (const asUser of [true, false]) expect(remoteCommand(asUser)).not.toMatch(/[`\\!\n]/)
  expect(remoteCommand(true)).not.toContain("'")
})

test('a script is one line, also with newlines in its values', () => {
  expect(
    scriptLine(`echo ${quote('a\nb')}`)
      .toString()
      .split('\n'),
  ).toHaveLength(2)
})

test('what no file name or argument can carry is refused', () => {
  expect(() => quote('a\0b')).toThrow('"a\\u0000b" cannot be passed to a server')
  expect(() => quote('\ud800')).toThrow('cannot be passed')
})

test('paths cannot be options and may start at home', () => {
  expect(quotePath('/srv/my app')).toBe("'/srv/my app'")
  expect(quotePath('-rf')).toBe('./-rf')
  expect(quotePath('/srv/app')).toBe('/srv/app')
  expect(quotePath('~/app')).toBe(`"$HOME"/'app'`)
  expect(quotePath('~')).toBe('"$HOME"')
  expect(quotePath('~root')).toBe("'./~root'")
  expect(() => quotePath('')).toThrow('empty path')
})

test('a command is exact text', () => {
  expect(command('mkdir', '-p', "a'b")).toBe(`'mkdir' '-p' 'a'\\''b'`)
})

/** Park and Miller's generator: the same values on every run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}
