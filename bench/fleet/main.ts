import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeScratch, removeOwnScratch, scratchRoot } from '../../test/support/lab/scratch.ts'
import { StubFleet } from '../../test/support/stub-fleet/stub-fleet.ts'
import { parseNumber, parseServers } from '../shared/numbers.ts'
import { say } from '../shared/program.ts'
import { fixed, formatTable } from '../shared/table.ts'
import { tellError } from '../shared/tell-error.ts'
import { formatBytes, parseAmount, parseList } from '../shared/units.ts'
import { type Cost, makeFleetProject, type Project } from './project.ts'

const require = createRequire(join(process.cwd(), 'package.json'))
const cli = join(dirname(require.resolve('shipit-cli/package.json')), 'bin', 'shipit')

/** What one deploy to many servers costs the deploy host. They are stubs: no swarm, no encryption. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string', default: '100,1000' },
      size: { type: 'string', default: '20M' },
      seconds: { type: 'string', default: '20' },
      output: { type: 'string', default: 'plain,terminal,json' },
      first: { type: 'boolean', default: false },
      keep: { type: 'string' },
      'cpu-prof': { type: 'string' },
    },
  })
  const size = parseAmount(values.size)
  const seconds = parseNumber('--seconds', values.seconds)
  const flags = values['cpu-prof'] ? ['--cpu-prof', '--cpu-prof-dir', values['cpu-prof']] : []
  const rows: string[][] = []
  for (const count of parseServers(values.servers)) {
    const root = await makeScratch(
      'fleet',
      existsSync('/dev/shm') ? '/dev/shm/shipit-murder-lab' : scratchRoot,
    )
    const fleet = new StubFleet(join(root, 'fleet'), { count, seconds, bytes: size, hasAgent: !values.first })
    const project = makeFleetProject(root, fleet)
    const kinds = [...(values.first ? ['first deploy'] : []), ...parseList(values.output)]
    for (const kind of kinds) {
      rmSync(project.workspace, { recursive: true })
      mkdirSync(project.workspace)
      writeFileSync(join(project.workspace, 'content'), randomBytes(size))
      const ran = await deploy(fleet, project, { flags, output: kind === 'first deploy' ? 'plain' : kind })
      if (values.keep) writeFileSync(`${values.keep}-${count}-${kind.replace(' ', '-')}.txt`, ran.output)
      const live = new Set(fleet.live())
      if (ran.code !== 0 || live.size !== 1 || live.has(undefined))
        throw new Error(`${kind} to ${count}: exit code ${ran.code}\n${ran.output.slice(-3000)}`)
      const { memory, cpu } = ran.cost
      say(`${count} servers, ${kind}: ${JSON.stringify(ran.cost)}`)
      rows.push([
        String(count),
        kind,
        fixed(ran.seconds, 1),
        formatBytes(memory),
        fixed(cpu, 1),
        fixed((1000 * cpu) / count, 1),
        String(ran.output.length),
        String(ran.output.split('\n').length),
      ])
    }
    await removeOwnScratch()
  }
  const head = ['servers', 'output', 'seconds', 'memory', 'CPU s', 'ms each', 'bytes out', 'lines']
  process.stdout.write(`${formatTable([head, ...rows])}\n`)
}

interface Ran {
  code: number | null
  seconds: number
  output: string
  cost: Cost
}

async function deploy(
  fleet: StubFleet,
  { directory, costFile }: Project,
  { flags, output }: { flags: string[]; output: string },
): Promise<Ran> {
  const words = [process.execPath, ...flags, cli, 'production', 'deploy']
  // A terminal of its own, from util-linux.
  const [program = '', ...args] =
    output === 'terminal' ? ['script', '-qfec', words.join(' '), '/dev/null'] : words
  const began = performance.now()
  const child = spawn(program, args, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...fleet.environment, ...(output === 'json' ? { MURDER_OUTPUT: 'json' } : {}) },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  return {
    code,
    seconds: (performance.now() - began) / 1000,
    output: text,
    cost: JSON.parse(readFileSync(costFile, 'utf8')) as Cost,
  }
}

try {
  await main()
} catch (error) {
  tellError(error)
} finally {
  await removeOwnScratch()
}
