// Builds dist/: the agent (one file), the plugin (for import and for require), its declarations and the licences of
// what is bundled. Usage: node scripts/build.mjs
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bareBuiltins, foreignImports } from './build/builtins.mjs'
import { declarations } from './build/declarations.mjs'
import { licences } from './build/licences.mjs'
import { unusedInAgent } from './build/stubs.mjs'
import { fail, root } from './lib.mjs'

const AGENT_LIMIT = 1_000_000
const dist = join(root, 'dist')

/** What both kinds of bundle share. */
const common = async () => ({
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  define: {
    MURDER_VERSION: JSON.stringify(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version),
  },
  plugins: [bareBuiltins],
})

/** Bundled CommonJS asks for Node's modules by `require`, which an ES module lacks. */
const requireForEsm = `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);`

async function buildAgent(options) {
  return build({
    ...options,
    entryPoints: ['src/agent/main.ts'],
    outfile: 'dist/murder.mjs',
    format: 'esm',
    minify: true,
    banner: { js: `#!/usr/bin/env node\n${requireForEsm}` },
    plugins: [...options.plugins, unusedInAgent],
  })
}

async function buildPlugin(options) {
  const esm = await build({
    ...options,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    format: 'esm',
    banner: { js: requireForEsm },
  })
  const cjs = await build({
    ...options,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.cjs',
    format: 'cjs',
    define: { ...options.define, 'import.meta.url': '__fileUrl' },
    banner: { js: `const __fileUrl = require('node:url').pathToFileURL(__filename).href;` },
    // require() gives the function itself, as a shipitfile expects, and `.default` too for transpiled imports.
    footer: { js: 'module.exports = module.exports.default;\nmodule.exports.default = module.exports;' },
  })
  return [esm, cjs]
}

async function main() {
  for (const entry of ['src/agent/main.ts', 'src/index.ts']) {
    await stat(join(root, entry)).catch(() => fail(`build: ${entry} does not exist`))
  }
  await mkdir(dist, { recursive: true })
  const options = await common()
  const [agent, plugin] = await Promise.all([buildAgent(options), buildPlugin(options)])
  const bundles = [agent, ...plugin].map((result) => result.metafile)

  for (const { path, importer } of bundles.flatMap(foreignImports)) {
    fail(`build: ${importer} imports '${path}', which is neither bundled nor part of Node`)
  }
  const { size } = await stat(join(dist, 'murder.mjs'))
  if (size > AGENT_LIMIT) fail(`build: dist/murder.mjs has ${size} bytes, more than ${AGENT_LIMIT}`)
  await chmod(join(dist, 'murder.mjs'), 0o755)

  const types = await declarations(root)
  await writeFile(join(dist, 'index.d.ts'), types.esm)
  await writeFile(join(dist, 'index.d.cts'), types.cjs)
  await writeFile(join(dist, 'LICENSES.txt'), await licences(root, bundles))
  console.log(`built dist: agent ${Math.round(size / 1000)} kB`)
}

// esbuild has printed its own errors already.
await main().catch((error) => fail(error.errors ? 'build failed' : `build: ${error.message}`))
