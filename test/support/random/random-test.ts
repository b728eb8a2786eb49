import { expect } from 'vitest'
import { numbers } from '../fuzz.ts'
import { randomSteps } from './steps.ts'
import { type Fleet, World } from './world.ts'

/** Of `npm run test:random`. */
const given = process.env.MURDER_RANDOM_STEPS
const anySeed = () => Number(process.env.MURDER_RANDOM_SEED ?? Date.now() % 1_000_000)

/** Milliseconds. */
export const randomTimeout = (usual: number) => Number(given ?? usual) * 30_000

/** Does so many random steps, always the same ones, unless told otherwise. A failure names its seed. */
export async function testRandomly(fleet: Fleet, usual: number, usualSeed: number): Promise<void> {
  const seed = given === undefined ? usualSeed : anySeed()
  const world = new World(fleet, numbers(seed))
  const tell = given === undefined ? () => {} : (line: string) => process.stderr.write(`${line}\n`)
  try {
    await randomSteps(world, Number(given ?? usual), tell)
  } catch (error) {
    const why = error instanceof Error ? error.message : error
    throw new Error(`with seed ${seed}, ${why}`, { cause: error })
  }
  expect(world.models.every(({ live }) => live !== undefined)).toBe(true)
}
