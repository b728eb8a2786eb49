import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { ScriptLibrary } from '../../../src/fleet/script-library.ts'
import {
  KEEP_LIBRARY,
  LACKS_LIBRARY,
  libraryLine,
  openLibrary,
} from '../../../src/fleet/script-library-script.ts'

const shells = [['sh'], ['bash'], ['busybox', 'sh'], ['zsh', '--emulate', 'sh']].filter(([name = '']) => {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`]).length > 0
  } catch {
    return false
  }
})

const SAMPLE = `say() { printf '%s=%s\\n' "$1" "$2"; }
twice() {
  for x in 1 2; do

    say "$1" "\\\\$x *  "\t
  done
}`
const WORKS = `${SAMPLE}\nsay it works`
const library = ScriptLibrary.of([SAMPLE, `${SAMPLE}\nother='/-'`])

const directory = mkdtempSync(join(tmpdir(), 'library-'))
const path = join(directory, "it's")
beforeEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(shells.map((shell) => ({ shell })))('$shell', ({ shell }) => {
  const [program = '', ...args] = shell
  const run = (script: string, input = '', env = process.env) =>
    spawnSync(program, [...args, '-c', script], { input, env, encoding: 'utf8' })
  const opened = (rest: string) => `${openLibrary(path, library.sha256)}; ${rest}`

  it.each([SAMPLE, `${SAMPLE}\ntwice it`, `\n\nvalue='it'\\''s *'\ntwice "$value"\n:x\n5-7\n12\n-n\n`, ''])(
    'makes the very script of numbers and of what is not there: %j',
    (script) => {
      writeFileSync(path, library.text)
      const named = library.name(script).replace(/eval "\$lib"$/, '')
      expect(named).not.toContain('\n')
      expect(run(opened(`${named} printf %s "$lib"`))).toMatchObject({ stdout: `${script}\n`, stderr: '' })
    },
  )

  it('knows the lines of a script that it has run', () => {
    writeFileSync(path, library.text)
    const first = `value='of this run'\n${SAMPLE}\ntwice "$value"`
    const named = library.after(first).name(`twice again\nvalue='of this run'\ntwice "$value"`)
    expect(named).not.toContain('of this run')
    const { stdout } = run(opened(`${library.name(first)}; ${named}`))
    expect(stdout.split('\n')).toEqual([
      ...['of this run=\\1 *  ', 'of this run=\\2 *  ', 'again=\\1 *  ', 'again=\\2 *  '],
      ...['of this run=\\1 *  ', 'of this run=\\2 *  ', ''],
    ])
  })

  it.each([
    ['missing', undefined],
    ['cut off', library.text.slice(0, -1)],
    ['of another version', `echo wrong\n${library.text}`],
  ])('asks for a file that is %s, and keeps it', (_, there) => {
    if (there !== undefined) writeFileSync(path, there)
    const script = opened(`${library.name(WORKS)}\n${KEEP_LIBRARY}`)
    const asked = { stdout: `${LACKS_LIBRARY}\nit=works\n`, stderr: '', status: 0 }
    expect(run(script, `\n?\n\n${libraryLine(library.text)}rest`)).toMatchObject(asked)
    expect(readFileSync(path, 'utf8')).toBe(library.text)
    expect(readdirSync(directory)).toHaveLength(1)
    expect(run(script)).toMatchObject({ stdout: 'it=works\n', stderr: '' })
  })

  it('asks where no SHA-256 can be computed, and where it cannot be kept', () => {
    writeFileSync(path, library.text)
    const without = `PATH=/nowhere; ${opened(library.name(WORKS))}`
    const { stdout } = run(without, libraryLine(library.text))
    // busybox is sha256sum itself.
    if (program !== 'busybox') expect(stdout).toBe(`${LACKS_LIBRARY}\nit=works\n`)
    const nowhere = `${openLibrary('/dev/null/x', library.sha256)}; ${library.name(WORKS)}\n${KEEP_LIBRARY}`
    expect(run(`${nowhere}\nsay still here`, libraryLine(library.text))).toMatchObject({
      stdout: `${LACKS_LIBRARY}\nit=works\nstill=here\n`,
    })
  })

  it('ends where its input ends before the library', () => {
    expect(run(opened(library.name(WORKS))).stdout).toBe(`${LACKS_LIBRARY}\n`)
  })
})
