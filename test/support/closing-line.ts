import { relative, resolve } from 'node:path'
import type { Reporter, TestModule, TestSpecification, Vitest } from 'vitest/node'

/** Set in CI: there a test that did not run is a failure. */
const requireAll = process.env.MURDER_TEST_REQUIRE_ALL === '1'

const count = (module: TestModule, state: 'passed' | 'failed' | 'skipped') =>
  [...module.children.allTests(state)].filter(({ options }) => options.mode !== 'todo').length

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

/** The paths on Vitest's command line that lead to none of the files that run: it is content when one of several does. */
const lost = (args: readonly string[], files: readonly string[]) =>
  args
    .filter((arg) => /^(\.\/)?test\//.test(arg))
    .filter((path) => !files.some((file) => file.startsWith(resolve(path.replace(/:\d+$/, '')))))

/**
 * Ends a run with what was skipped, if anything, and the line `N passed, N failed`. A path or a name (`-t`) that leads to
 * no test is a failure.
 */
export class ClosingLine implements Reporter {
  #byName = false
  #lost: string[] = []

  onInit({ config }: Vitest): void {
    this.#byName = config.testNamePattern !== undefined
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#lost = lost(
      process.argv.slice(2),
      specifications.map(({ moduleId }) => moduleId),
    )
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const passed = sum(modules.map((module) => count(module, 'passed')))
    // A module that cannot be loaded has no tests to fail.
    const failed =
      sum(modules.map((module) => count(module, 'failed') + module.errors().length)) + errors.length
    // What `-t` leaves out was not asked for.
    const skipped = this.#byName ? [] : modules.filter((module) => count(module, 'skipped') > 0)
    const missed = requireAll ? sum(skipped.map((module) => count(module, 'skipped'))) : 0
    const absent = [
      ...this.#lost.map((path) => `NO TESTS: no test file has the path ${path}`),
      ...(this.#byName && passed + failed === 0 ? ['NO TESTS: none has the name that -t asks for'] : []),
    ]
    const lines = [
      ...skipped.map(
        (module) =>
          `SKIPPED ${relative('', module.moduleId)}: ${count(module, 'skipped')} of its tests did not run`,
      ),
      ...(missed > 0 ? [`MURDER_TEST_REQUIRE_ALL is set: the ${missed} skipped tests count as failed`] : []),
      ...absent,
      `${passed} passed, ${failed + missed} failed`,
    ]
    // At the very end, below what other reporters and Vitest itself print.
    process.once('exit', (code) => {
      console.log(lines.join('\n'))
      if (code === 0 && failed + missed + absent.length > 0) process.exitCode = 1
    })
  }
}
