import { expect, test } from 'vitest'
import { embeddedFleet } from '../support/random/embedded-fleet.ts'
import { randomTimeout, testRandomly } from '../support/random/random-test.ts'

/** Suspends one, kills one, and fails in three other ways. */
const [STEPS, SEED] = [8, 101]

// A step mounts something.
test.skipIf(process.getuid?.() !== 0)(
  'whatever is done in whatever order: nothing of others is removed, and nothing half is published',
  async () => {
    expect.hasAssertions()
    await testRandomly(await embeddedFleet(), STEPS, SEED)
  },
  randomTimeout(STEPS),
)
