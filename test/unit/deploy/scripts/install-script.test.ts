import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
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
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  installAgentScript,
  installNodeScript,
  parseInstalledNode,
} from '../../../../src/deploy/scripts/install-script.ts'
import { setNode } from '../../../../src/deploy/scripts/node/find-node-script.ts'
import { sha256Of } from '../../../../src/files/hash.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's "))
})
afterEach(() => rmSync(root, { recursive: true }))

const sh = (script: string, input: Buffer, env = process.env, shell = 'sh') =>
  spawnSync(shell, [...(shell === 'busybox' ? ['ash'] : []), '-c', script], { input, encoding: 'utf8', env })

function uploadOf(name: string, program: string) {
  const compressed = gzipSync(program)
  const upload = { path: join(root, name), sha256: sha256Of(program), compressedBytes: compressed.length }
  return { compressed, upload }
}

describe('an agent', () => {
  const program = 'console.log(process.argv[2]); process.stdin.pipe(process.stdout)'
  const named = setNode(process.execPath, '/')

  test.each(['sh', 'bash', 'busybox'])('is installed and runs on what follows it: %s', (shell) => {
    if (!existsSync(`/bin/${shell}`)) return
    const { upload, compressed } = uploadOf('murder-1.mjs', program)
    const result = sh(installAgentScript(upload, named, 'receive'), compressed, process.env, shell)
    expect(result).toMatchObject({ status: 0, stdout: 'receive\n', stderr: '' })
    expect(readFileSync(upload.path, 'utf8')).toBe(program)
    expect(statSync(upload.path).mode & 0o777).toBe(0o755)
    expect(readdirSync(root)).toEqual(['murder-1.mjs'])
  })

  test('takes the place of old ones, of parts that were left, and of a Node that is not used any more', () => {
    const long = new Date('2020-01-01')
    for (const name of ['murder-0.mjs', 'node-v22.1.0-1.77.part']) {
      writeFileSync(join(root, name), '')
      utimesSync(join(root, name), long, long)
    }
    for (const name of ['murder-2.mjs', 'murder-1.mjs.77.part', 'node-v22.1.0-1', 'node-v24.1.0-1'])
      writeFileSync(join(root, name), '')
    const { upload, compressed } = uploadOf('murder-1.mjs', program)
    expect(
      sh(installAgentScript(upload, `node='${root.replace("'", "'\\''")}/node-v22.1.0-1'`), compressed)
        .status,
    ).toBe(0)
    expect(readdirSync(root)).toEqual([
      'murder-1.mjs',
      'murder-1.mjs.77.part',
      'murder-2.mjs',
      'node-v22.1.0-1',
    ])
  })
})

describe('what does not arrive as it was', () => {
  const { upload } = { upload: uploadOf }
  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -20), 'the upload arrived incomplete'],
    ['nothing', () => Buffer.alloc(0), 'the upload arrived incomplete'],
    ['another program', () => gzipSync('another'), 'the upload arrived damaged'],
    [
      'noise',
      (bytes: Buffer) => bytes.map((byte, at) => (at === 20 ? byte ^ 8 : byte)),
      'the upload arrived damaged',
    ],
  ])('%s', (_, change, message) => {
    const made = upload('murder-1.mjs', 'console.log("a program that is a little longer than its header")')
    writeFileSync(made.upload.path, 'the old one')
    const result = sh(
      installAgentScript(made.upload, 'node=node', 'receive'),
      Buffer.from(change(made.compressed)),
    )
    expect(result).toMatchObject({ status: 1, stdout: '', stderr: `${message}\n` })
    expect(readdirSync(root)).toEqual(['murder-1.mjs'])
    expect(readFileSync(made.upload.path, 'utf8')).toBe('the old one')
  })

  test('a full disk is one line', () => {
    const made = upload('murder-1.mjs', 'x')
    const full = installAgentScript(made.upload, 'node=node').replace('>"$part"', '>/dev/full')
    expect(sh(full, made.compressed).stderr).toBe(`the disk is full: no room for ${made.upload.path}\n`)
  })
})

describe('a Node', () => {
  const runs = '#!/bin/sh\necho v24.1.0\n'

  test('counts once it has run, and those before it go', () => {
    const { upload, compressed } = uploadOf('node-v24.1.0-2', runs)
    for (const name of ['node-v22.1.0-1', 'node-v24.1.0-2.99999.part', 'murder-1.mjs'])
      writeFileSync(join(root, name), '')
    const { stdout, stderr } = sh(installNodeScript(upload), compressed)
    expect([parseInstalledNode(stdout), stderr]).toEqual([{ version: 'v24.1.0' }, ''])
    expect(readdirSync(root)).toEqual(['murder-1.mjs', 'node-v24.1.0-2', 'node-v24.1.0-2.99999.part'])
  })

  test.each([
    [
      'a library too old',
      '#!/bin/sh\necho "node: /lib/libc.so.6: version \\`GLIBC_2.28\' not found" >&2; exit 1\n',
      { exitCode: 1, said: expect.stringContaining('GLIBC_2.28') },
    ],
    ['no loader', '#!/no/such/loader\n', { exitCode: 127, said: expect.any(String) }],
  ])('that does not run leaves nothing: %s', (_, program, answer) => {
    const { upload, compressed } = uploadOf('node-v24.1.0-2', program)
    writeFileSync(join(root, 'node-v22.1.0-1'), '')
    const { stdout, status } = sh(installNodeScript(upload), compressed)
    expect([status, parseInstalledNode(stdout)]).toEqual([0, answer])
    expect(readdirSync(root)).toEqual(['node-v22.1.0-1'])
  })

  test('is refused where no SHA-256 can be computed', () => {
    const tools = join(root, 'tools')
    mkdirSync(tools)
    for (const name of ['head', 'gzip', 'find', 'rm', 'cat', 'tr'])
      symlinkSync(`/usr/bin/${name}`, join(tools, name))
    const { upload, compressed } = uploadOf('node-1', runs)
    const { stderr } = sh(installNodeScript(upload), compressed, { PATH: tools }, '/bin/sh')
    expect(stderr).toBe('no SHA-256 can be computed there: sha256sum, shasum and openssl are missing\n')
    expect(readdirSync(root)).toEqual(['tools'])
  })
})
