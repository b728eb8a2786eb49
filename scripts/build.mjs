// Builds dist/: the agent (one file), the plugin (for import and for require), its declarations, the licences of
// what is bundled, and the agent's bill of materials. Usage: node scripts/build.mjs
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { foreignImports, lazyBuiltins, prefixedBuiltins } from './build/builtins.mjs'
import { declarations } from './build/declarations.mjs'
import { licences } from './build/licences.mjs'
import { sbom } from './build/sbom.mjs'
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
  write: false,
  logLevel: 'warning',
  define: {
    MURDER_VERSION: JSON.stringify(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version),
  },
})

/** Bundled CommonJS asks for Node's modules by `require`, which an ES module lacks. */
const requireForEsm = `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);`

/** One file, which is all that a server needs. */
function buildAgent(options) {
  return build({
    ...options,
    entryPoints: ['src/agent/main.ts'],
    outfile: 'dist/murder.mjs',
    format: 'esm',
    charset: 'ascii', // a byte a character in memory
    minify: true,
    banner: { js: `#!/usr/bin/env node\n${requireForEsm}` },
    plugins: [lazyBuiltins, unusedInAgent],
  })
}

/** Programs that tell others of a run: its trace, and notices. */
function buildTeller(options, name) {
  return build({
    ...options,
    entryPoints: [`src/${name}/main.ts`],
    outfile: `dist/${name}.mjs`,
    format: 'esm',
    plugins: [prefixedBuiltins],
    banner: { js: requireForEsm },
  })
}

/** Script and style of the page, for a browser: they name nothing outside of themselves. */
function buildPage({ absWorkingDir, bundle, legalComments, metafile, write, logLevel }) {
  return build({
    absWorkingDir,
    bundle,
    legalComments,
    metafile,
    write,
    logLevel,
    entryPoints: { page: 'src/page/client/main.ts', style: 'src/page/client/page.css' },
    outdir: 'dist',
    format: 'esm',
    target: 'es2022',
    minify: true,
  })
}

function buildPlugin(options) {
  const plugin = { ...options, entryPoints: ['src/index.ts'], plugins: [prefixedBuiltins] }
  const esm = build({
    ...plugin,
    outfile: 'dist/index.js',
    format: 'esm',
    banner: { js: requireForEsm },
  })
  const cjs = build({
    ...plugin,
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
  for (const entry of [
    'src/agent/main.ts',
    'src/trace/main.ts',
    'src/notify/main.ts',
    'src/page/client/main.ts',
    'src/index.ts',
  ]) {
    await stat(join(root, entry)).catch(() => fail(`build: ${entry} does not exist`))
  }
  const options = await common()
  const results = await Promise.all([
    buildAgent(options),
    buildTeller(options, 'trace'),
    buildTeller(options, 'notify'),
    buildPage(options),
    ...buildPlugin(options),
  ])
  const metafiles = results.map(({ metafile }) => metafile)
  for (const { path, importer } of metafiles.flatMap(foreignImports)) {
    fail(`build: ${importer} imports '${path}', which is neither bundled nor part of Node`)
  }
  const [agent, trace, notify, page, esm, cjs] = results.map(({ outputFiles }) => outputFiles[0].contents)
  if (agent.length > AGENT_LIMIT) {
    fail(`build: dist/murder.mjs has ${agent.length} bytes, more than ${AGENT_LIMIT}`)
  }
  const types = await declarations(root)
  await mkdir(dist, { recursive: true })
  const files = {
    'murder.mjs': agent,
    'trace.mjs': trace,
    'notify.mjs': notify,
    'page.js': page,
    'page.css': results[3].outputFiles[1].contents,
    'index.js': esm,
    'index.cjs': cjs,
    'index.d.ts': types.esm,
    'index.d.cts': types.cjs,
    'shipit-deploy.d.ts': types.deploy,
    'sbom.cdx.json': await sbom(root, metafiles[0]),
    'LICENSES.txt': await licences(root, metafiles),
  }
  for (const [name, content] of Object.entries(files)) {
    await write(name, content, name === 'murder.mjs' ? 0o755 : 0o644)
  }
  // All of dist is published: nothing of an earlier version may stay. Names with a dot are drafts of another build.
  const old = (await readdir(dist)).filter((name) => !(name in files) && !name.startsWith('.'))
  for (const name of old) await rm(join(dist, name), { recursive: true })
  console.log(`built dist: agent ${Math.round(agent.length / 1000)} kB`)
}

/** Renamed into place, so that a program that starts meanwhile never sees half a file; what is the same stays untouched. */
async function write(name, content, mode) {
  const there = await readFile(join(dist, name)).catch(() => undefined)
  if (there?.equals(Buffer.from(content)) && ((await stat(join(dist, name))).mode & 0o777) === mode) return
  const temporary = join(dist, `.${name}.${process.pid}`)
  await writeFile(temporary, content)
  await chmod(temporary, mode)
  await rename(temporary, join(dist, name))
}

// esbuild has printed its own errors already.
await main().catch((error) => fail(error.errors ? 'build failed' : `build: ${error.message}`))
