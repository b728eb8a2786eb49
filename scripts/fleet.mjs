// Five SSH servers in the foreground, for this repository's shipitfile.ts. Usage: node scripts/fleet.mjs [--count 5]
import './ensure-install.mjs'
import { runExample } from './example.mjs'
import { run } from './lib.mjs'

run(process.execPath, ['scripts/build.mjs'])
await runExample('fleet')
