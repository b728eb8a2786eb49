import { describe, expect, test } from 'vitest'
import { labAvailable } from '../support/lab/lab.ts'
import { labFleet } from '../support/random/lab-fleet.ts'
import { randomTimeout, testRandomly } from '../support/random/random-test.ts'

const [STEPS, SEED] = [5, 1]

describe.skipIf(!labAvailable())('three servers with sshd, and random steps', () => {
  test(
    'nothing of others is removed, and nothing half is published',
    async () => {
      expect.hasAssertions()
      const fleet = await labFleet()
      try {
        await testRandomly(fleet, STEPS, SEED)
      } finally {
        await fleet.lab.lab.destroy()
      }
    },
    randomTimeout(STEPS),
  )
})
