import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fuzz, noise, type Random } from '../../../support/fuzz.ts'
import { survey, type Tree, temporary } from '../trees.ts'
import { type Knowledge, Pair } from './delta-harness.ts'

let state = 1
/** Bytes that cannot be compressed, other ones each time. */
function random(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Times of the new release: all other ones than those of the old, as git makes them. */
const fresh = (tree: Tree): Tree =>
  Object.fromEntries(
    Object.entries(tree).map(([name, what], i) => {
      const at = `${1_800_000_000 + (i >> 3)}.${String(100_000_000 + i * 104_729).slice(-9)}`
      const thing = typeof what === 'string' || Buffer.isBuffer(what) ? { content: what } : what
      return [name, { ...thing, at }]
    }),
  )

/** As precise as Node sets times. */
const microseconds = (mtime: bigint) => String(mtime / 1000n)

const large = random(300_000)
const lines = Array.from({ length: 3000 }, (_, i) => `const value${i} = compute(${i * 7919})\n`)
const bundle = Buffer.from(lines.join(''))
const rebuilt = Buffer.from(lines.join('').replaceAll('value17', 'v'))
const module = (i: number) => `export const part${i} = ${JSON.stringify(random(30).toString('hex'))}\n`
const modules = Array.from({ length: 60 }, (_, i) => [`part-${i}.js`, module(i)] as const)
const inDirectory = (name: string) =>
  Object.fromEntries(modules.map(([file, text]) => [`${name}/${file}`, text]))
const archive = (...members: Buffer[]) =>
  Buffer.concat(members.flatMap((member, i) => [Buffer.alloc(512, `member ${i}`), member]))
const programs = Array.from({ length: 2 }, (_, version) => {
  const program = Buffer.from(large)
  for (let at = 100; at < program.length; at += 50)
    program.writeUInt32LE((program.readUInt32LE(at) + 64 * version) >>> 0, at)
  return program
}) as [Buffer, Buffer]

const pairs: [string, { old: Tree; next: Tree; most: number; knowledge?: Knowledge[] }][] = [
  ['nothing changed', { old: inDirectory('src'), next: inDirectory('src'), most: 600 }],
  [
    'one line',
    { old: inDirectory('src'), next: { ...inDirectory('src'), 'src/part-7.js': 'changed\n' }, most: 700 },
  ],
  ['a moved directory', { old: inDirectory('src'), next: inDirectory('lib/of/ours'), most: 1100 }],
  [
    'a bundle with another hash in its name',
    { old: { 'js/app-3f2a9c1b.js': large }, next: { 'js/app-77ab01c9.js': large }, most: 200 },
  ],
  [
    'a few bytes in the middle',
    {
      old: { image: large },
      next: { image: Buffer.concat([large.subarray(0, 9000), random(50), large.subarray(9050)]) },
      most: 2300,
    },
  ],
  [
    'bytes inserted at the start',
    { old: { image: large }, next: { image: Buffer.concat([Buffer.from('0123456789'), large]) }, most: 1400 },
  ],
  [
    'a rebuilt bundle with another hash in its name',
    {
      old: { 'app-AAAABBBB.js': bundle },
      next: { 'app-CCCCDDDD.js': rebuilt },
      most: 700,
      knowledge: ['content'],
    },
  ],
  [
    'an archive with a member that grew',
    {
      old: { tar: archive(large, random(2000), bundle) },
      next: { tar: archive(large, random(3000), bundle) },
      most: 7000,
    },
  ],
  [
    'a program whose addresses have moved',
    { old: { bin: programs[0] }, next: { bin: programs[1] }, most: 9000, knowledge: ['content'] },
  ],
]

describe('a delta makes the new release to the last bit, and is small for', () => {
  it.each(pairs)('%s', async (_, { old, next, most, knowledge = ['content', 'signature'] }) => {
    const pair = await Pair.of(temporary(), old, fresh(next))
    for (const known of knowledge) {
      const delta = await pair.delta(known)
      const { manifest } = (await pair.apply(delta)) as Awaited<ReturnType<Pair['apply']>> & {
        manifest: unknown
      }
      expect(survey(pair.into)).toEqual(survey(pair.next))
      expect(manifest).toEqual(pair.manifest)
      expect(delta.length).toBeLessThan(most)
    }
  })

  it('all kinds of entries, new ones, and ones that became another kind', async () => {
    const old: Tree = {
      a: 'file',
      b: { link: 'a' },
      'c/d': 'below',
      gone: 'x',
      'e/': '',
      same: { link: 'a' },
    }
    const next: Tree = {
      a: { link: 'b' },
      b: { content: 'file', mode: 0o4755 },
      c: 'now a file',
      'e/': '',
      'é/empty': '',
      same: { link: 'c' },
      [`${'long/'.repeat(30)}name`]: { content: 'deep', mode: 0o400 },
    }
    const pair = await Pair.of(temporary(), old, next)
    await pair.apply(await pair.delta())
    expect(survey(pair.into, microseconds)).toEqual(survey(pair.next, microseconds))
  })
})

it('makes no second name for one inode', async () => {
  const pair = await Pair.of(temporary(), { one: large, two: 'x' }, { one: large, three: large })
  await pair.apply(await pair.delta())
  const inodes = ['old/one', 'into/one', 'into/three'].map((path) => lstatSync(join(pair.place, path)))
  expect(new Set(inodes.map(({ ino }) => ino)).size).toBe(3)
  expect(inodes.every(({ nlink }) => nlink === 1)).toBe(true)
})

/** Some edits, and how many bytes they bring that were not there. */
function edit(bytes: Buffer, next: Random): { edited: Buffer; brought: number; edits: number } {
  let edited = bytes
  let brought = 0
  const edits = 1 + next(5)
  for (let i = 0; i < edits; i++) {
    const [at, to, length] = [next(edited.length + 1), next(edited.length + 1), 1 + next(6000)]
    const block = edited.subarray(at, at + length)
    const without = Buffer.concat([edited.subarray(0, at), edited.subarray(at + length)])
    const added = noise(1 + next(300), next)
    const kind = next(5)
    if (kind === 0) edited = Buffer.concat([edited.subarray(0, at), added, edited.subarray(at)])
    if (kind === 1) edited = without
    if (kind === 2) edited = Buffer.concat([without.subarray(0, to), block, without.subarray(to)])
    if (kind === 3) edited = Buffer.concat([edited.subarray(0, to), block, edited.subarray(to)])
    if (kind === 4)
      edited = Buffer.concat([edited.subarray(0, at), added, edited.subarray(at + added.length)])
    if (kind === 0 || kind === 4) brought += added.length
  }
  return { edited, brought, edits }
}

it('makes whatever was inserted, deleted, moved, copied and doubled, and brings little more than is new', async () => {
  const place = temporary()
  await fuzz(25, async (next) => {
    const bytes = next(3) === 0 ? random(next(5000)) : random(20_000 + next(60_000))
    const { edited, brought, edits } = edit(bytes, next)
    const pair = await Pair.of(place, { 'dir/file': bytes }, { 'dir/file': edited })
    for (const known of ['content', 'signature'] as const) {
      const delta = await pair.delta(known)
      await pair.apply(delta)
      expect(survey(pair.into)).toEqual(survey(pair.next))
      // Of each edit, a block may be lost on either side; with the content, a few bytes.
      const lost = known === 'content' ? 60 : 3 * 1024
      expect(delta.length).toBeLessThan(250 + brought + edits * 3 * lost)
    }
  })
}, 30_000)
