import { dirname } from 'node:path'
import { Fleet } from '../../src/fleet/fleet.ts'
import { poolOf } from './pool.ts'

/** A program that connects to a server and then holds on, for tests that kill it, or ends without closing the fleet. */
async function main([remote = '', key = '', then]: string[]): Promise<void> {
  const fleet = new Fleet(poolOf([JSON.parse(remote)], { key }), { controlDirectory: dirname(key) })
  await fleet.run('hold', () => ({ script: 'true' }))
  console.log('connected')
  if (then === 'hold') setInterval(() => {}, 60_000)
}

void main(process.argv.slice(2))
