import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const web = 'https://git.example.com/team/app'
let directory: string
let clone: string
let env: Record<string, string | undefined>

/** What `npm run` finds: writes down its name, what package.json then says, and does what a test put into `on-<name>`. */
const step = (name: string) =>
  `echo "${name} $npm_package_version" >> ../steps; sh ../on-${name.replace(':', '-')}`
const steps = ['check', 'build', 'check:package', 'test', 'test:all']
const changelog = '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n'

function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: clone, env, encoding: 'utf8' })
  expect(stderr + stdout, `git ${args.join(' ')}`).toSatisfy(() => status === 0)
  return stdout.trim()
}

const on = (name: string, script: string) => writeFileSync(join(directory, `on-${name}`), script)
const file = (name: string) => readFileSync(join(clone, name), 'utf8')

/** A clone with this repository's scripts, whose origin is a bare repository that git finds at an address of the web. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-release-'))
  clone = join(directory, 'clone')
  env = {
    PATH: process.env.PATH,
    HOME: directory,
    ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' },
    ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' },
    npm_config_update_notifier: 'false',
  }
  mkdirSync(join(clone, 'node_modules'), { recursive: true })
  cpSync(join(root, 'scripts'), join(clone, 'scripts'), { recursive: true })
  const scripts = {
    ...Object.fromEntries(steps.map((name) => [name, step(name)])),
    release: 'node scripts/release.mjs',
  }
  const own = { name: 'app', version: '0.1.0' }
  const files = {
    'package.json': { ...own, private: true, scripts },
    'package-lock.json': { ...own, lockfileVersion: 3, requires: true, packages: { '': own } },
    'node_modules/.package-lock.json': { packages: {} },
  }
  for (const [name, value] of Object.entries(files)) {
    writeFileSync(join(clone, name), `${JSON.stringify(value, null, 2)}\n`)
  }
  writeFileSync(join(clone, 'CHANGELOG.md'), changelog)
  writeFileSync(join(clone, '.gitignore'), 'node_modules/\n')
  for (const name of steps) on(name.replace(':', '-'), '')
  git('init', '--quiet', '--initial-branch=main')
  git('init', '--quiet', '--bare', '--initial-branch=main', '../bare.git')
  git('config', `url.${join(directory, 'bare.git')}.insteadOf`, 'git@git.example.com:team/app.git')
  git('remote', 'add', 'origin', 'git@git.example.com:team/app.git')
  git('add', '.')
  git('commit', '--quiet', '--message', 'Begin')
  git('push', '--quiet', 'origin', 'main')
})

afterEach(() => rmSync(directory, { recursive: true }))

function release(asked: string) {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'release', '--', asked], {
    cwd: clone,
    env,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

/** All that a release could leave behind. */
const state = () => ({
  files: ['package.json', 'package-lock.json', 'CHANGELOG.md'].map(file),
  git: ['status --porcelain', 'rev-parse HEAD', 'tag', 'ls-remote origin'].map((line) =>
    git(...line.split(' ')),
  ),
})

test('a release is checked as the new version, committed and tagged, and not pushed', () => {
  const before = git('ls-remote', 'origin')
  const { status, stdout } = release('minor')
  expect(status).toBe(0)
  expect(stdout).toContain('git push --atomic origin main v0.2.0')
  const checked = readFileSync(join(directory, 'steps'), 'utf8').trim().split('\n')
  expect(checked).toEqual(steps.map((name) => `${name} 0.2.0`))
  const { packages, version } = JSON.parse(file('package-lock.json'))
  expect([JSON.parse(file('package.json')).version, version, packages[''].version]).toEqual(
    Array(3).fill('0.2.0'),
  )
  expect(file('CHANGELOG.md')).toMatch(
    /## \[Unreleased\]\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- A thing\./,
  )
  expect(file('CHANGELOG.md')).toContain(`[0.2.0]: ${web}/releases/tag/v0.2.0\n`)
  expect(git('log', '--format=%s')).toBe('Release 0.2.0\nBegin')
  expect(git('status', '--porcelain')).toBe('')
  expect(
    git('for-each-ref', '--format=%(objecttype) %(*objectname) %(contents:subject)', 'refs/tags/v0.2.0'),
  ).toBe(`tag ${git('rev-parse', 'HEAD')} Release 0.2.0`)
  expect(git('ls-remote', 'origin')).toBe(before)
})

test('the second release compares with the first, by the command that the first one printed', () => {
  const { stdout } = release('0.2.0')
  git(...(stdout.match(/git (push .*)/)?.[1] ?? '').split(' '))
  writeFileSync(
    join(clone, 'CHANGELOG.md'),
    file('CHANGELOG.md').replace('[Unreleased]\n', '[Unreleased]\n\n- More.\n'),
  )
  git('commit', '--quiet', '--all', '--message', 'Go on')
  expect(release('patch').status).toBe(0)
  expect(file('CHANGELOG.md')).toContain(
    `[0.2.1]: ${web}/compare/v0.2.0...v0.2.1\n[0.2.0]: ${web}/releases/tag/v0.2.0\n`,
  )
})

test.each<[string, () => unknown, string]>([
  ['a dirty tree', () => writeFileSync(join(clone, 'new'), ''), 'there is something uncommitted:\n?? new'],
  ['another branch', () => git('checkout', '--quiet', '-b', 'fix'), 'this is fix: a release is made on main'],
  ['a tag that is here', () => git('tag', 'v0.2.0'), 'the tag v0.2.0 is there already'],
  [
    'a tag that is at origin only',
    () => [
      git('tag', 'v0.2.0'),
      git('push', '--quiet', 'origin', 'v0.2.0'),
      git('tag', '--delete', 'v0.2.0'),
    ],
    'the tag v0.2.0 is there already',
  ],
  [
    'a main behind that of origin',
    () => [
      git('commit', '--quiet', '--allow-empty', '--message', 'Later'),
      git('push', '--quiet', 'origin', 'main'),
      git('reset', '--quiet', '--hard', 'HEAD~1'),
    ],
    'origin has commits that are not here: git pull first',
  ],
  [
    'nothing unreleased',
    () => [
      writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n'),
      git('commit', '--quiet', '--all', '--message', 'Say nothing'),
    ],
    'CHANGELOG.md has nothing under [Unreleased]: write there what changes for users',
  ],
  ['no origin', () => git('remote', 'set-url', 'origin', '../gone.git'), "git fetch: fatal: '../gone.git'"],
])('%s is refused in plain words before anything is run', (_, prepare, reason) => {
  prepare()
  const before = file('package.json')
  const { status, stderr } = release('minor')
  expect(status).toBe(1)
  expect(stderr.startsWith(reason), stderr).toBe(true)
  expect(stderr).not.toContain('    at ')
  expect(existsSync(join(directory, 'steps'))).toBe(false)
  expect(file('package.json')).toBe(before)
})

test.each<[string, () => unknown]>([
  ['the first check', () => on('check', 'exit 3')],
  ['the tests', () => on('test', 'exit 1')],
  [
    'committing',
    () => writeFileSync(join(clone, '.git/hooks/pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 }),
  ],
  ['tagging', () => on('test', 'mkdir -p .git/refs/tags/v0.2.0/x; touch .git/refs/tags/v0.2.0/x/y.lock')],
])('everything is as it was when what fails is %s', (_, prepare) => {
  const before = state()
  prepare()
  const { status, stderr } = release('minor')
  expect(status).not.toBe(0)
  expect(stderr).toContain('No release: the files are as they were.\n')
  expect(state()).toEqual(before)
})

test('what changes while the tests run is neither released nor lost', () => {
  on('test', 'echo mine > scripts/lib.mjs')
  const { status, stderr } = release('minor')
  expect(status).toBe(1)
  expect(stderr).toContain('something else was changed while the tests ran')
  expect(file('scripts/lib.mjs')).toBe('mine\n')
  expect(git('status', '--porcelain')).toBe('M scripts/lib.mjs')
  expect(git('tag')).toBe('')
})

test('Ctrl-C ends the tests and puts everything back', async () => {
  const before = state()
  on('test', 'touch ../begun; sleep 60')
  const child = spawn('node', ['scripts/release.mjs', 'minor'], { cwd: clone, env, detached: true })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await vi.waitFor(() => expect(existsSync(join(directory, 'begun'))).toBe(true), 60_000)
  process.kill(-(child.pid ?? Number.NaN), 'SIGINT')
  expect(await ended).not.toBe(0)
  expect(state()).toEqual(before)
})
