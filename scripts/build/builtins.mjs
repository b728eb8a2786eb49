import { builtinModules } from 'node:module'

const builtins = new Set(builtinModules)

/** An esbuild plugin: Node's modules are always asked for with their `node:` prefix, whatever a package writes. */
export const bareBuiltins = {
  name: 'bare-builtins',
  setup(build) {
    build.onResolve({ filter: /^[a-z_]/ }, ({ path }) => {
      const name = path.replace(/\/$/, '')
      return builtins.has(name) && !name.startsWith('node:')
        ? { path: `node:${name}`, external: true }
        : undefined
    })
  },
}

/** Everything in a build's metafile that is left to be imported at run time and isn't Node's own. */
export function foreignImports(metafile) {
  return Object.entries(metafile.outputs).flatMap(([importer, { imports }]) =>
    imports
      .filter(({ path, external }) => external && !path.startsWith('node:'))
      .map(({ path }) => ({ path, importer })),
  )
}
