import { Fleet } from '../../src/remote/fleet.ts'
import { poolOf } from './pool.ts'

/** A program that connects to a server and then does nothing, for tests that kill it. */
async function main([remote = '', key = '']: string[]): Promise<void> {
  const fleet = new Fleet(poolOf([JSON.parse(remote)], { key }))
  await fleet.run('hold', () => ({ script: 'true' }))
  console.log('connected')
  setInterval(() => {}, 60_000)
}

void main(process.argv.slice(2))
