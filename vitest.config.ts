import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/support/closing-line.ts'
import { LongestFirst } from './test/support/longest-first.ts'

/** Path of another Node, with which the tests run, and what they start: sshd gives it to sessions (test/support/node-path.ts). */
const node = process.env.MURDER_TEST_NODE
if (node) {
  process.execPath = node
  process.env.PATH = `${dirname(node)}:${process.env.PATH}`
}

/** What is slow by nature runs when it is asked for: `npm run test:all` names its project, `npm test -- test/slow/…` a path. */
const isSlowWanted = process.argv.slice(2).some((arg) => arg === 'slow' || /(^|\/)test\//.test(arg))

const project = (name: string, timeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles: ['test/support/equal-buffers.ts', 'test/support/turn-the-loop.ts'],
    testTimeout: timeout,
    hookTimeout: timeout,
  },
})

/**
 * unit: no network, seconds, and time for a slow machine. integration: real processes on loopback. lab: network namespaces, root only. slow: either of
 * these two, but minutes.
 */
const projects = [project('unit', 30_000), project('integration', 120_000), project('lab', 600_000)]

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLine()],
    projects: isSlowWanted ? [...projects, project('slow', 600_000)] : projects,
    // Most of them wait for other processes and for limited links rather than compute.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
  },
})
