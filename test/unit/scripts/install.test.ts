import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let directory: string

/** A checkout with this repository's scripts and an npm that only writes down how it was called. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-install-'))
  cpSync(join(root, 'scripts'), join(directory, 'scripts'), { recursive: true })
  mkdirSync(join(directory, 'bin'))
  writeFileSync(join(directory, 'bin/npm'), '#!/bin/sh\necho "$@" > called\nexit "$NPM_EXIT"\n')
  chmodSync(join(directory, 'bin/npm'), 0o755)
})

afterEach(() => rmSync(directory, { recursive: true }))

type Packages = Record<
  string,
  { version?: string; integrity?: string; optional?: boolean; optionalDependencies?: object }
>

function write(file: string, packages: Packages): void {
  mkdirSync(join(directory, 'node_modules'), { recursive: true })
  writeFileSync(join(directory, file), JSON.stringify({ lockfileVersion: 3, packages }))
}

function script(name: string, args: string[] = [], env: Record<string, string> = {}) {
  const path = `${join(directory, 'bin')}${delimiter}${process.env.PATH}`
  const { status, stderr } = spawnSync(process.execPath, [join(directory, 'scripts', name), ...args], {
    env: { PATH: path, NPM_EXIT: '0', ...env },
    encoding: 'utf8',
  })
  return { status, stderr }
}

function calledNpm(): string | undefined {
  try {
    return readFileSync(join(directory, 'called'), 'utf8').trim()
  } catch {
    return undefined
  }
}

describe('ensure-install', () => {
  const wanted: Packages = {
    '': {},
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/other-system': { version: '1.0.0', optional: true },
  }
  const installed = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } }

  it('installs when there is nothing', () => {
    write('package-lock.json', wanted)
    expect(script('ensure-install.mjs').status).toBe(0)
    expect(calledNpm()).toMatch(/^ci .*--no-audit --no-fund/)
  })

  it('does nothing when all locked packages are there', () => {
    write('package-lock.json', wanted)
    write('node_modules/.package-lock.json', installed)
    expect(script('ensure-install.mjs').status).toBe(0)
    expect(calledNpm()).toBeUndefined()
  })

  it.each([
    ['another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['other content', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-b' } }],
    ['a package less', {}],
  ])('installs again when there is %s', (_, packages) => {
    write('package-lock.json', wanted)
    write('node_modules/.package-lock.json', packages)
    expect(script('ensure-install.mjs').status).toBe(0)
    expect(calledNpm()).toMatch(/^ci /)
  })

  it('fails as npm fails', () => {
    write('package-lock.json', wanted)
    expect(script('ensure-install.mjs', [], { NPM_EXIT: '7' }).status).toBe(7)
  })

  it('says in one line that the lockfile is missing', () => {
    const { status, stderr } = script('ensure-install.mjs')
    expect(status).toBe(1)
    expect(stderr).toBe('package-lock.json is missing: this is not a whole checkout\n')
  })
})

describe('complete-lock', () => {
  const packages: Packages = {
    '': {},
    'node_modules/t': {
      version: '2.0.0',
      optionalDependencies: { '@t/t-darwin-arm64': '2.0.0', '@t/t-linux-x64-musl': '2.0.0' },
    },
    'node_modules/t/node_modules/@t/t-darwin-arm64': { version: '2.0.0' },
  }

  it('adds the builds that npm left out, and is content then', () => {
    write('package-lock.json', packages)
    expect(script('complete-lock.mjs', ['--check']).status).toBe(1)
    expect(script('complete-lock.mjs').status).toBe(0)
    const { packages: completed } = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8'))
    expect(Object.keys(completed).sort()).toEqual(
      [...Object.keys(packages), 'node_modules/@t/t-linux-x64-musl'].sort(),
    )
    expect(completed['node_modules/@t/t-linux-x64-musl']).toEqual({
      version: '2.0.0',
      cpu: ['x64'],
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    })
    expect(script('complete-lock.mjs', ['--check']).status).toBe(0)
  })
})
