import { randomBytes } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { plant, survey } from '../unit/package/trees.ts'

/** All of a release, times and modes included. */
const whole = (root: string) => survey(root, (mtime) => String(mtime / 1000n))

interface Record {
  received: number
  delta?: { bytes: number; unchanged?: boolean }
  refusedDelta?: string
}

/** Deploys, looks at every byte on every server, and gives what the report says of them. */
async function deploy({ project, app, current }: Embedded) {
  const file = join(project.root, 'report.json')
  const run = await project.run('deploy', { MURDER_REPORT: file })
  expect(run).toMatchObject({ code: 0, stderr: '' })
  for (const [index, release] of current().entries())
    expect(whole(join(app(index), release ?? ''))).toEqual(whole(project.workspace))
  return { ...run, ...(JSON.parse(readFileSync(file, 'utf8')) as { servers: Record[] }) }
}

const basesOf = ({ project }: Embedded) => join(project.directory, '.shipit-murder/bases/test')

/** Sizes of the segments of kept content. */
const segments = (each: Embedded) => {
  const place = join(basesOf(each), '.content')
  return readdirSync(place).map((name) => ({
    path: join(place, name),
    size: statSync(join(place, name)).size,
  }))
}

describe('what the deploy host keeps', () => {
  test.each([false, true])(
    'grows by what is new, release on release, and stays right (encrypted: %s)',
    async (encrypt) => {
      const each = await embedded(2)
      const { project, configure, current } = each
      configure({ murder: { encrypt } } as never)
      plant(project.workspace, {
        image: { content: randomBytes(2_500_000) },
        log: 'a line\n'.repeat(50_000),
        small: 'small',
      })
      await deploy(each)
      for (let round = 0; round < 4; round++) {
        const image = readFileSync(join(project.workspace, 'image'))
        randomBytes(3000).copy(image, 300_000 * round + 77)
        const inserted = Buffer.concat([
          image.subarray(0, 2_000_000),
          Buffer.from([round]),
          image.subarray(2_000_000),
        ])
        writeFileSync(join(project.workspace, 'image'), inserted)
        appendFileSync(join(project.workspace, 'log'), `line of round ${round}\n`)
        const { servers } = await deploy(each)
        for (const { delta } of servers) expect(delta?.bytes).toBeLessThan(4500)
      }
      const sizes = segments(each).map(({ size }) => size)
      expect(sizes).toHaveLength(5)
      expect(sizes.filter((size) => size > 1_000_000)).toHaveLength(1)

      const [newest] = current()
      expect(await project.run('rollback')).toMatchObject({ code: 0 })
      expect(current()).not.toContain(newest)
      appendFileSync(join(project.workspace, 'small'), 'more')
      const { servers } = await deploy(each)
      for (const { delta } of servers) expect(delta?.bytes).toBeLessThan(9000)
    },
  )

  test('content that was damaged costs one package, and all is well afterwards', async () => {
    const each = await embedded(1)
    const { project } = each
    plant(project.workspace, { image: { content: randomBytes(1_500_000) } })
    await deploy(each)
    const [{ path = '' } = {}] = segments(each)
    const kept = readFileSync(path)
    // What the workspace gets at this place is what the copy here has, and the server has not.
    kept.fill(0, 700_000, 700_100)
    writeFileSync(path, kept)
    writeFileSync(join(project.workspace, 'image'), kept.subarray(0, 1_500_000))
    const refused = await deploy(each)
    expect(refused.servers[0]).toMatchObject({ refusedDelta: expect.stringContaining('image') })
    expect(refused.servers[0]?.received).toBeGreaterThan(1_400_000)
    for (let round = 0; round < 2; round++) {
      appendFileSync(join(project.workspace, 'image'), 'more')
      const { servers } = await deploy(each)
      expect(servers[0]?.delta?.bytes).toBeLessThan(500)
    }
  })

  test('a base whose content and signature are gone is asked for', async () => {
    const each = await embedded(2)
    const { project } = each
    plant(project.workspace, { image: { content: randomBytes(1_500_000) } })
    await deploy(each)
    for (const name of readdirSync(basesOf(each))) rmSync(join(basesOf(each), name), { recursive: true })
    appendFileSync(join(project.workspace, 'image'), 'more')
    const { servers } = await deploy(each)
    for (const { delta } of servers) expect(delta?.bytes).toBeLessThan(5000)
  })
})
