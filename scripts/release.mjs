// Makes a release of main: bumps the version, dates the changelog, runs all checks and tests, commits and tags. It pushes
// nothing; when something fails, the files are as they were. Usage: npm run release -- patch|minor|major|X.Y.Z
import './ensure-install.mjs'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fail, npm, root } from './lib.mjs'
import { released, webAddress } from './release/changelog.mjs'
import { nextVersion, refusal } from './release/plan.mjs'

const FILES = ['CHANGELOG.md', 'package-lock.json', 'package.json']
const read = (name) => readFileSync(join(root, name), 'utf8')
const write = (name, text) => writeFileSync(join(root, name), text)

function git(...args) {
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) fail(`git ${args[0]}: ${error?.message ?? stderr.trim()}`)
  return stdout.trimEnd()
}

const lines = (text) => text.split('\n').filter(Boolean)
const changes = () => git('status', '--porcelain', '--untracked-files=all')

function state() {
  git('fetch', '--quiet', 'origin', 'main')
  const there = lines(git('ls-remote', '--tags', '--refs', 'origin'))
  return {
    branch: git('branch', '--show-current'),
    changes: changes(),
    behind: git('rev-list', 'HEAD..FETCH_HEAD') !== '',
    tags: [...lines(git('tag')), ...there.map((line) => line.replace(/.*refs\/tags\//, ''))],
  }
}

/** Puts back what a release changes, however this process ends, until the function that it returns is called. */
function undoAtExit() {
  const head = git('rev-parse', 'HEAD')
  const texts = FILES.map((name) => [name, read(name)])
  const undo = () => {
    for (const [name, text] of texts) write(name, text)
    git('reset', '--quiet', head)
    console.error('No release: the files are as they were.')
  }
  process.once('exit', undo)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => fail(`ended by ${signal}`))
  return () => process.off('exit', undo)
}

/** What was tested must be what is committed. */
function assertOnlyOurs(head) {
  const changed = lines(changes()).map((line) => line.slice(3))
  if (changed.sort().join() !== FILES.join() || git('rev-parse', 'HEAD') !== head) {
    fail('something else was changed while the tests ran')
  }
}

async function main(asked) {
  const current = JSON.parse(read('package.json')).version
  const version = nextVersion(current, asked)
  const tag = `v${version}`
  const found = state()
  const reason = refusal(found, tag)
  if (reason) fail(reason)
  const changelog = released(read('CHANGELOG.md'), {
    version,
    date: new Date().toISOString().slice(0, 10),
    web: webAddress(git('config', 'remote.origin.url')),
    since: found.tags.includes(`v${current}`) ? `v${current}` : undefined,
  })

  const head = git('rev-parse', 'HEAD')
  const keep = undoAtExit()
  write('CHANGELOG.md', changelog)
  npm('version', version, '--no-git-tag-version')
  for (const script of ['check', 'build', 'check:package', 'test', 'test:all']) {
    npm('run', script)
    await setImmediate() // a signal that came meanwhile is heard here
  }
  assertOnlyOurs(head)
  git('commit', '--quiet', '--message', `Release ${version}`, '--', ...FILES)
  git('tag', '--annotate', '--message', `Release ${version}`, tag)
  keep()
  console.log(`${tag} is committed and tagged here. To publish it:\n  git push --atomic origin main ${tag}`)
}

await main(process.argv[2]).catch((error) => fail(error.message))
