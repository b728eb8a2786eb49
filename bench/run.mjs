// Bundles a bench (TypeScript) and runs it: `node bench/run.mjs <name> [--node PATH] [options]`, name a directory beside this
// file. With --node, the bench and every agent in it run on that Node.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { node = process.execPath, name = 'swarm', options } = takeNode(process.argv.slice(2))
const outfile = join(root, 'node_modules', '.cache', 'shipit-murder-bench', `${name}.mjs`)

await build({
  entryPoints: [join(root, 'bench', name, 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
})

// A simulation makes tens of millions of short-lived objects: room for them is a tenth less processor time.
const flags = name === 'simulate' ? ['--max-semi-space-size=64'] : []
const bench = spawn(node, ['--enable-source-maps', ...flags, outfile, ...options], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` },
})
bench.on('error', ({ message }) => {
  console.error(`${node} cannot be run: ${message}`)
  process.exitCode = 1
})
// The bench gets the terminal's signals itself, and ends in order; only its exit code is ours to pass on.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => signal === 'SIGTERM' && bench.kill(signal))
bench.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1)
})

/** The name of the bench, its own options, and the Node that is to run it. */
function takeNode([name, ...options]) {
  const at = options.indexOf('--node')
  if (at === -1) return { name, options }
  const [, node] = options.splice(at, 2)
  if (!node || !existsSync(node)) {
    console.error(`--node ${node ?? ''}: must be the path of a Node, such as /opt/node-24/bin/node`)
    process.exit(2)
  }
  return { name, options, node: resolve(node) }
}
