import { createRequire } from 'node:module'
import type { Shipit } from '../../../src/shipit.ts'

const require = createRequire(import.meta.url)
const ShipitCli = require('shipit-cli') as new (options: Record<string, unknown>) => Shipit
const deploy = require('shipit-deploy') as (shipit: Shipit) => void

/** A real Shipit with shipit-deploy loaded; what it would print is in `lines`. */
export function host({ withDeploy = true } = {}): { shipit: Shipit; lines: string[] } {
  const lines: string[] = []
  const log = (...args: unknown[]) => void lines.push(args.join(' '))
  const shipit = new ShipitCli({ environment: 'test', log, stdout: undefined, stderr: undefined })
  if (withDeploy) deploy(shipit)
  return { shipit, lines }
}

/** Runs tasks to their end as Shipit's command line does; resolves to the error of the first that failed. */
export function finish(shipit: Shipit, ...names: string[]): Promise<unknown> {
  return new Promise((resolve) => {
    shipit.on('err', ({ err }: { err: unknown }) => resolve(err))
    shipit.on('stop', () => resolve(undefined))
    shipit.start(names)
  })
}
