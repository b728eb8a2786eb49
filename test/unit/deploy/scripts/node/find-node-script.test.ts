import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findNode, originOfNode, setNode } from '../../../../../src/deploy/scripts/node/find-node-script.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "home it's "))
})
afterEach(() => rmSync(home, { recursive: true }))

/** The shells that servers have as sh; those that this machine has not are left out. */
const SHELLS = [['dash'], ['bash'], ['busybox', 'ash']].filter(([name = '']) => existsSync(`/bin/${name}`))

/** A stand-in for Node below the home directory, which notes that it was run. */
function put(path: string, says: string): void {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho ${path} >>'${home.replaceAll("'", "'\\''")}/runs'\n${says}\n`, {
    mode: 0o755,
  })
}
const version = (text: string) => `echo ${text}`

/** What is found there; only programs of the system and of `path` in the home directory are on the PATH. */
function find(
  shell: string[] = ['dash'],
  { setting, env = {} }: { setting?: string; env?: Record<string, string> } = {},
) {
  const tools = join(home, 'tools')
  if (!existsSync(tools)) {
    mkdirSync(tools)
    for (const name of ['timeout', 'sleep']) symlinkSync(`/usr/bin/${name}`, join(tools, name))
  }
  // The system's own directories are in the home directory, too.
  const search = findNode(setting, `${home}/murder`).replaceAll(
    / (?=\/(?:usr|opt|snap|home|run)\/)/g,
    ' "$HOME"/system',
  )
  const script = `${search.replace('KILL 10', 'KILL 1')}\nprintf '%s\\n' "$node" "$version"`
  const [program = '', ...words] = shell
  const out = execFileSync(`/bin/${program}`, [...words, '-c', script], {
    env: { HOME: home, PATH: `${join(home, 'path')}:${tools}`, ...env },
    encoding: 'utf8',
  })
  const [node = '', found = ''] = out.split('\n')
  return { node: node.replace(`${home}/`, '~/'), version: found }
}
const runs = () => readFileSync(join(home, 'runs'), 'utf8').trim().split('\n')

test.each(SHELLS.map((shell) => [shell]))(
  '%s: the newest under nvm, when the one on the PATH is too old',
  (shell) => {
    put('path/node', version('v16.20.2'))
    for (const each of ['v8.17.0', 'v22.9.0', 'v22.11.0', 'v20.9.0'])
      put(`.nvm/versions/node/${each}/bin/node`, version(each))
    expect(find(shell)).toEqual({ node: '~/.nvm/versions/node/v22.11.0/bin/node', version: 'v22.11.0' })
    expect(runs()).toEqual(['path/node', '.nvm/versions/node/v22.11.0/bin/node'])
  },
)

test.each([
  ['nvm', '.nvm/versions/node/v22.1.0/bin/node'],
  ['nvm', '.config/nvm/versions/node/v22.1.0/bin/node'],
  ['fnm', '.local/share/fnm/node-versions/v22.1.0/installation/bin/node'],
  ['volta', '.volta/tools/image/node/22.1.0/bin/node'],
  ['asdf', '.asdf/installs/nodejs/22.1.0/bin/node'],
  ['mise', '.local/share/mise/installs/node/22/bin/node'],
  ['n', 'n/n/versions/node/22.1.0/bin/node'],
  ['nodenv', '.nodenv/versions/22.1.0/bin/node'],
  ['nodebrew', '.nodebrew/node/v22.1.0/bin/node'],
  ['nvs', '.nvs/node/22.1.0/x64/bin/node'],
  ['Homebrew', '.linuxbrew/opt/node@22/bin/node'],
  ['Homebrew', 'system/home/linuxbrew/.linuxbrew/bin/node'],
  ['snap', 'system/snap/bin/node'],
  ['n', 'system/usr/local/n/versions/node/22.1.0/bin/node'],
  ['brought by murder', 'murder/node-v22.1.0-0123456789abcdef'],
])('it is found where %s puts it', (origin, path) => {
  put(path, version('v22.1.0'))
  expect(find()).toEqual({ node: `~/${path}`, version: 'v22.1.0' })
  expect(
    originOfNode(
      path.startsWith('system/') ? path.slice('system'.length) : join(home, path),
      join(home, 'murder'),
    ),
  ).toBe(origin)
})

test.each([
  'opt/node',
  'opt/node-v22.1.0-linux-x64',
  'opt/app2',
  'usr/local',
  'usr/local/lib/nodejs/node-v22.1.0-linux-arm64',
])('it is found in /%s', (directory) => {
  put(`system/${directory}/bin/node`, version('v22.1.0'))
  expect(find().node).toBe(`~/system/${directory}/bin/node`)
})

test('one on the PATH that will do is taken, and nothing else is run', () => {
  put('path/node', version('v20.19.0'))
  put('.nvm/versions/node/v24.1.0/bin/node', version('v24.1.0'))
  expect(find()).toEqual({ node: 'node', version: 'v20.19.0' })
  expect(runs()).toEqual(['path/node'])
})

test('one is found where "timeout" is of another kind', () => {
  put('path/node', version('v22.1.0'))
  put('path/timeout', `echo "timeout: can't execute '10': No such file or directory" >&2; exit 127`)
  expect(find()).toEqual({ node: 'node', version: 'v22.1.0' })
})

test('the one of the setting is taken, even when it is too old', () => {
  put('path/node', version('v22.1.0'))
  put('own/node', version('v16.1.0'))
  expect(find(['dash'], { setting: join(home, 'own/node') })).toEqual({
    node: '~/own/node',
    version: 'v16.1.0',
  })
})

describe('a program that is no Node', () => {
  test('shims without a version, and broken ones, are passed over', () => {
    put('path/node', 'echo "Volta error: Node is not available." >&2; exit 126')
    put('.asdf/installs/nodejs/24.1.0/bin/node', 'exit 1')
    put('.volta/tools/image/node/22.1.0/bin/node', version('v22.1.0'))
    expect(find()).toEqual({ node: '~/.volta/tools/image/node/22.1.0/bin/node', version: 'v22.1.0' })
  })

  test('one that never ends is given up', () => {
    put('path/node', 'exec sleep 60')
    put('.nvm/versions/node/v22.1.0/bin/node', version('v22.1.0'))
    expect(find().version).toBe('v22.1.0')
  })

  test('a file that may not be run, a directory, and what was cut off are none', () => {
    mkdirSync(join(home, '.nvm/versions/node/v22.1.0/bin/node'), { recursive: true })
    put('murder/node-v22.1.0-0123456789abcdef.12.part', version('v22.1.0'))
    expect(find()).toEqual({ node: 'node', version: '' })
  })

  test('of a hundred that do not run, few are tried', () => {
    for (let minor = 0; minor < 100; minor++) put(`.nvm/versions/node/v22.${minor}.0/bin/node`, 'exit 1')
    expect(find().version).toBe('')
    expect(runs().length).toBeLessThan(10)
  })
})

test('the version that counts is what it says, not what its directory is called', () => {
  put('.local/share/mise/installs/node/24/bin/node', version('v18.1.0'))
  put('.nvm/versions/node/v22.1.0/bin/node', version('v22.1.0'))
  put('.local/bin/node', version('v22.12.0'))
  expect(find()).toEqual({ node: '~/.local/bin/node', version: 'v22.12.0' })
})

test('where all are too old, the one on the PATH is told of', () => {
  put('path/node', version('v16.1.0'))
  put('.nvm/versions/node/v18.1.0/bin/node', version('v18.1.0'))
  expect(find()).toEqual({ node: 'node', version: 'v16.1.0' })
})

test('the directories that variables name', () => {
  put('elsewhere/versions/node/v22.1.0/bin/node', version('v22.1.0'))
  expect(find(['dash'], { env: { NVM_DIR: join(home, 'elsewhere') } }).version).toBe('v22.1.0')
})

test('what is known is not searched for again', () => {
  expect(setNode('/a b/node', '/x')).toBe("node='/a b/node'")
})
