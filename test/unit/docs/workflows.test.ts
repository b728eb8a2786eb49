import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const directory = '.github/workflows'
const workflows = readdirSync(join(root, directory)).map((name) => `${directory}/${name}`)
const ci = read(`${directory}/ci.yml`)
const publish = read(`${directory}/publish.yml`)
const { engines, scripts } = JSON.parse(read('package.json'))

describe('the versions of Node.js', () => {
  const list = /node: \[(.*)\]/.exec(ci)?.[1] ?? ''
  const versions = list.split(', ').map((version) => version.slice(1, -1))

  test('begin with the oldest that package.json allows', () => {
    expect(`>=${versions[0]}`).toBe(engines.node)
  })

  test('are those that CONTRIBUTING.md names', () => {
    const [last, ...others] = versions.map((version) => version.split('.')[0]).reverse()
    expect(read('CONTRIBUTING.md')).toContain(`Node.js ${others.reverse().join(', ')} and ${last}.`)
  })

  test('end with the one that publishes', () => {
    expect(publish).toContain(`node-version: "${versions.at(-1)}"`)
  })
})

test('CI does what .ci/run does, and nothing else', () => {
  const commands = [...ci.matchAll(/run: (.*)/g)].map(([, command]) => command)
  expect(commands).toEqual(['chown --recursive root:root .', 'HOME=/root .ci/run'])
})

test('a tag is published with provenance once CI has passed, and is compared with the version', () => {
  expect(publish).toContain('tags: ["v*"]')
  expect(publish).toContain('uses: ./.github/workflows/ci.yml')
  expect(publish).toContain('needs: test')
  const compared = publish.indexOf('"v$version" != "$GITHUB_REF_NAME"')
  expect(compared).toBeGreaterThan(0)
  expect(publish.indexOf('npm publish --provenance --access public')).toBeGreaterThan(compared)
})

describe.each(workflows)('%s', (path) => {
  const text = read(path)

  test('uses nobody else than GitHub, in a version', () => {
    for (const [, used = ''] of text.matchAll(/uses: (.*)/g)) {
      expect(used).toMatch(/^(actions\/[\w-]+@(v\d+|[0-9a-f]{40})|\.\/\.github\/workflows\/\w+\.yml)$/)
    }
  })

  test('may read the repository, and write only what signs a package', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m)
    const written = [...text.matchAll(/^ *([\w-]+): write\b/gm)].map(([, right]) => right)
    expect(written).toEqual(text === publish ? ['id-token'] : [])
  })
})

test.each([...workflows, '.ci/run', 'CONTRIBUTING.md', 'README.md', '.github/pull_request_template.md'])(
  'the scripts that %s runs are in package.json',
  (path) => {
    const named = [...read(path).matchAll(/npm (?:run ([\w:]+)|(test)\b)/g)].map(([, run, own]) => run ?? own)
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  },
)
