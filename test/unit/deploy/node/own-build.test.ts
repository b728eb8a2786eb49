import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fileBuild } from '../../../../src/deploy/node/file-build.ts'
import { libcOf } from '../../../../src/deploy/node/own-build.ts'

const mapped = (...paths: string[]) =>
  paths.map((path) => `7f00-7f01 r-xp 00000000 08:01 12 ${path}`).join('\n')
const libc = '/usr/lib/x86_64-linux-gnu/libc.so.6'
const program = Buffer.from('\0GLIBC_2.2.5\0GLIBC_2.28\0GLIBC_2.14\0')

describe('the C library that a program needs', () => {
  test.each([
    [
      'the newest version that it names',
      mapped(libc, '/lib/libstdc++.so.6.0.30', '/usr/bin/node'),
      'glibc 2.28',
    ],
    ['none where it has other libraries, too', mapped(libc, '/usr/lib/libnode.so.115'), undefined],
    ['musl', mapped('/lib/ld-musl-x86_64.so.1', '/usr/lib/libstdc++.so.6'), 'musl'],
  ])('%s', (_, maps, needed) => expect(libcOf(maps, program)).toBe(needed))

  test('of the Node that runs this', () => {
    if (!existsSync('/proc/self/maps')) return
    expect(libcOf(mapped(libc), readFileSync(process.execPath))).toMatch(/^glibc 2\.\d+$/)
  })
})

describe('a file that the user names', () => {
  function file(content: Buffer | string): string {
    const directory = mkdtempSync(join(tmpdir(), 'build-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, 'node'), content)
    return join(directory, 'node')
  }

  test('is for the processor that its header names', async () => {
    const header = Buffer.alloc(64)
    header.write('\x7fELF\x02\x01', 'latin1')
    header.writeUInt16LE(0xb7, 18)
    const path = file(header)
    expect(await fileBuild(path)).toMatchObject({ machine: 'aarch64', path })
  })

  test.each([
    ['a script', '#!/bin/sh\nexec node "$@"\n', /\(murder\.node\) is no program for Linux$/],
    ['empty', '', /is no program for Linux$/],
  ])('is refused when it is %s', async (_, content, message) => {
    await expect(fileBuild(file(content))).rejects.toMatchObject({
      code: 'BAD_NODE_FILE',
      message: expect.stringMatching(message),
    })
  })

  test('is refused when it is not there', async () => {
    await expect(fileBuild('/no/such/node')).rejects.toMatchObject({
      message: '/no/such/node (murder.node) is not there',
    })
  })
})
