import { dirname } from 'node:path'
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/support/closing-line.ts'

/** Path of another Node, with which the tests run, and what they start: sshd gives it to sessions (test/support/node-path.ts). */
const node = process.env.MURDER_TEST_NODE
if (node) {
  process.execPath = node
  process.env.PATH = `${dirname(node)}:${process.env.PATH}`
}

/**
 * unit: seconds, no network. integration: real processes on loopback. lab: network namespaces, root only.
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
    projects: [project('unit', 10_000), project('integration', 120_000), project('lab', 600_000)],
  },
})
