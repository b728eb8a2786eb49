// Bundles a bench (TypeScript) and runs it: `node bench/run.mjs <name> [options]`, name a directory beside this file.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [name = 'swarm', ...options] = process.argv.slice(2)
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

const bench = spawn(process.execPath, ['--enable-source-maps', outfile, ...options], {
  cwd: root,
  stdio: 'inherit',
})
// The bench gets the terminal's signals itself, and ends in order; only its exit code is ours to pass on.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => signal === 'SIGTERM' && bench.kill(signal))
bench.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1)
})
