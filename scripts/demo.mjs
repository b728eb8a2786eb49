// Shows a deploy to five servers, all on this machine: installs and builds what is missing, then runs examples/demo.
// Usage: node scripts/demo.mjs [options, see examples/demo/options.ts]
import './ensure-install.mjs'
import { runExample } from './example.mjs'
import { run } from './lib.mjs'

run(process.execPath, ['scripts/build.mjs'])
await runExample('demo')
