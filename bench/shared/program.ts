import { destroyAllLabs, labProblem } from '../../test/support/lab/lab.ts'
import { removeOwnScratch } from '../../test/support/lab/scratch.ts'
import { tellError } from './tell-error.ts'

/** Runs a bench. Refuses where no lab can be made, and always takes the labs down at the end. */
export async function benchProgram(main: () => Promise<void>): Promise<void> {
  const problem = labProblem()
  if (problem) {
    process.stderr.write(`this bench needs root and network namespaces: ${problem}\n`)
    process.exitCode = 2
    return
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(130)))
  }
  try {
    await main()
  } catch (error) {
    tellError(error)
  } finally {
    await cleanUp()
  }
}

async function cleanUp(): Promise<void> {
  await destroyAllLabs()
  await removeOwnScratch()
}

/** A line of progress: standard error, so that standard output is the report alone. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`)
