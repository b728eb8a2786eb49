import { fork, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { changeFile } from '../../../../src/agent/links/authorized-file.ts'

const NOBODY = 65_534

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authorized-'))
  path = join(directory, 'authorized_keys')
  onTestFinished(() => rmSync(directory, { recursive: true }))
})

test('mode and bytes stay, and nothing is left beside it', () => {
  const bytes = Buffer.from([0xff, 0xfe, 10, 0x80])
  writeFileSync(path, bytes)
  chmodSync(path, 0o640)
  changeFile(path, (text) => `line\n${text}`)
  expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.from('line\n'), bytes]))
  expect(statSync(path).mode & 0o777).toBe(0o640)
  expect(readdirSync(directory)).toEqual(['authorized_keys'])
})

test('a symlink stays one, and its target is changed', () => {
  const target = join(directory, 'elsewhere')
  writeFileSync(target, 'mine\n')
  symlinkSync('elsewhere', path)
  changeFile(path, (text) => `line\n${text}`)
  expect(lstatSync(path).isSymbolicLink()).toBe(true)
  expect(readFileSync(target, 'utf8')).toBe('line\nmine\n')
})

test('a file with a second name is refused, and one that nobody has is made for this user only', () => {
  changeFile(path, () => 'line\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  linkSync(path, join(directory, 'second'))
  expect(() => changeFile(path, () => 'other\n')).toThrow('has a second name')
  expect(readFileSync(path, 'utf8')).toBe('line\n')
  changeFile(join(directory, 'new'), () => 'x\n')
  changeFile(join(directory, 'new'), () => undefined)
  expect(existsSync(join(directory, 'new'))).toBe(false)
})

test('what somebody else writes meanwhile is not lost', () => {
  writeFileSync(path, 'mine\n')
  let calls = 0
  changeFile(path, (text) => {
    if (calls++ === 0) writeFileSync(path, 'mine\nnew\n')
    return `line\n${text}`
  })
  expect(readFileSync(path, 'utf8')).toBe('line\nmine\nnew\n')
})

test('the lock of a process that was killed does not count', () => {
  const lock = join(directory, '.murder-lock')
  writeFileSync(lock, '')
  utimesSync(lock, 1, 1)
  changeFile(path, () => 'line\n')
  expect(existsSync(lock)).toBe(false)
})

/** A program that puts so many lines before those that are there. Its arguments are the file, and the text of each line. */
async function program(lines: number): Promise<string> {
  const source = join(directory, 'program.ts')
  const module = join(import.meta.dirname, '../../../../src/agent/links/authorized-file.ts')
  const built = join(directory, 'program.mjs')
  writeFileSync(
    source,
    `import { changeFile } from ${JSON.stringify(module)}
    for (let n = 0; n < ${lines}; n++) changeFile(process.argv[2], (text) => process.argv[3] + n + '\\n' + text)`,
  )
  const { build } = await import('esbuild')
  await build({ entryPoints: [source], outfile: built, bundle: true, platform: 'node', format: 'esm' })
  return built
}

test.skipIf(process.geteuid?.() !== 0)(
  'a file of another user stays as it is, and a line says whose it is',
  async () => {
    writeFileSync(path, 'mine\n')
    const built = await program(1)
    chownSync(directory, NOBODY, NOBODY)
    chownSync(built, NOBODY, NOBODY)
    const before = statSync(path)
    const { status, stderr } = spawnSync(process.execPath, [built, path, 'a'], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
    })
    expect(status).not.toBe(0)
    expect(stderr).toContain(`${path} belongs to another user`)
    expect(statSync(path)).toEqual(before)
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([])
  },
)

test('several processes at once: each line of each is there', async () => {
  writeFileSync(path, 'mine\n')
  const built = await program(20)
  await Promise.all(
    ['a', 'b', 'c'].map(
      (name) =>
        new Promise<void>((resolve, reject) => {
          fork(built, [path, name]).on('exit', (code) =>
            code === 0 ? resolve() : reject(new Error(`${code}`)),
          )
        }),
    ),
  )
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  expect(new Set(lines).size).toBe(61)
  expect(lines).toHaveLength(61)
})
