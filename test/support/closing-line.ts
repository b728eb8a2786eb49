import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

/** Set in CI: there a test that did not run is a failure. */
const requireAll = process.env.MURDER_TEST_REQUIRE_ALL === '1'

const count = (module: TestModule, state: 'passed' | 'failed' | 'skipped') =>
  [...module.children.allTests(state)].filter(({ options }) => options.mode !== 'todo').length

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

/** Ends a run with what was skipped, if anything, and the line `N passed, N failed`. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const skipped = modules.map((module) => ({ module, tests: count(module, 'skipped') }))
    const lines = skipped
      .filter(({ tests }) => tests > 0)
      .map(
        ({ module, tests }) => `SKIPPED ${relative('', module.moduleId)}: ${tests} of its tests did not run`,
      )
    const passed = sum(modules.map((module) => count(module, 'passed')))
    // A module that cannot be loaded has no tests to fail.
    const failed =
      sum(modules.map((module) => count(module, 'failed') + module.errors().length)) + errors.length
    const missed = requireAll ? sum(skipped.map(({ tests }) => tests)) : 0
    if (missed > 0) lines.push(`MURDER_TEST_REQUIRE_ALL is set: the ${missed} skipped tests count as failed`)
    // At the very end, below what other reporters and Vitest itself print.
    process.once('exit', (code) => {
      console.log([...lines, `${passed} passed, ${failed + missed} failed`].join('\n'))
      if (code === 0 && failed + missed > 0) process.exitCode = 1
    })
  }
}
