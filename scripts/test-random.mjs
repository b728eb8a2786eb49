// Random sequences of tasks on three servers. Usage: npm run test:random -- [--steps 100] [--seed 1] [--sshd]
import { parseArgs } from 'node:util'
import './ensure-install.mjs'
import { run } from './lib.mjs'

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100' },
    seed: { type: 'string' },
    sshd: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? {} : { MURDER_RANDOM_SEED: values.seed }
const env = { ...process.env, MURDER_RANDOM_STEPS: values.steps, ...seed }
run(process.execPath, ['scripts/build.mjs'])
run(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', `test/${values.sshd ? 'lab' : 'integration'}/random.test.ts`],
  env,
)
