import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Projects by how long a file of theirs takes: what starts last should end soon, so that nothing waits for one long file. */
const ORDER = ['slow', 'lab', 'integration', 'unit']

const rank = ({ project }: TestSpecification) => ORDER.indexOf(project.name)

/** Within a project it is as Vitest has it: what took longest the last time comes first, or else what is largest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => rank(a) - rank(b))
  }
}
