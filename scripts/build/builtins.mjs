import { builtinModules } from 'node:module'

const builtins = new Set(builtinModules)
const filter = /^(node:)?[a-z_]+(\/[a-z_]+)?\/?$/

/** `fs`, `node:fs`, `fs/` → `node:fs`; undefined for what isn't Node's. */
function builtin(path) {
  const name = path.replace(/^node:|\/$/g, '')
  return builtins.has(name) ? `node:${name}` : undefined
}

/** An esbuild plugin: Node's modules are always asked for with their `node:` prefix, whatever a package writes. */
export const prefixedBuiltins = {
  name: 'prefixed-builtins',
  setup(build) {
    build.onResolve({ filter }, ({ path }) => builtin(path) && { path: builtin(path), external: true })
  },
}

/**
 * An esbuild plugin for a program of many commands: the same, but a module of Node is loaded when the first code that
 * uses it is, and not with the whole file as static imports are. It takes 20 ms off every start of the agent.
 */
export const lazyBuiltins = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter }, ({ path, kind, namespace }) => {
      const name = builtin(path)
      if (!name) return undefined
      if (namespace !== 'file') return { path: name, external: true }
      return { path: name, namespace: kind === 'require-call' ? 'required' : 'imported' }
    })
    build.onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }))
    build.onLoad({ filter: /./, namespace: 'imported' }, async ({ path }) => ({
      contents: await namesOf(path),
    }))
  },
}

/**
 * What of a module of Node is imported, by name: marked as pure, so that only what is used is left. esbuild's own way makes a
 * copy of the whole module for each file that imports it, another 20 ms.
 */
async function namesOf(path) {
  const { default: _, ...names } = await import(path)
  const exported = Object.keys(names).map((name) => `export const ${name} = /* @__PURE__ */ pick('${name}')`)
  return [
    `const module = require('${path}')`,
    'const pick = (name) => module[name]',
    'export default module',
    ...exported,
  ].join('\n')
}

/** Everything in a build's metafile that is left to be imported at run time and isn't Node's own. */
export function foreignImports(metafile) {
  return Object.entries(metafile.outputs).flatMap(([importer, { imports }]) =>
    imports
      .filter(({ path, external }) => external && !path.startsWith('node:'))
      .map(({ path }) => ({ path, importer })),
  )
}
