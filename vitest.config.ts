import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/support/closing-line.ts'

/**
 * unit: seconds, no network. integration: real processes on loopback. lab: network namespaces, root only.
 * field: minutes each, in the lab: faults, other clients, the way by hand (`npm run test:field`).
 */
const project = (name: string, timeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeout,
    hookTimeout: timeout,
  },
})

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLine()],
    projects: [
      project('unit', 10_000),
      project('integration', 120_000),
      project('lab', 300_000),
      project('field', 600_000),
    ],
  },
})
