import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './lib.mjs'

/**
 * Bundles a program of examples/ (TypeScript) and runs it in this process, with the repository as working directory and
 * the arguments of this script. Call it when the dependencies are installed.
 */
export async function runExample(name) {
  // Imported here, because this file is read before anything is installed.
  const { build, stop } = await import('esbuild')
  // In node_modules, so that it finds the packages that are not bundled.
  const file = join(root, 'node_modules', '.cache', 'shipit-murder-examples', `${name}.mjs`)
  const { outputFiles } = await build({
    entryPoints: [join(root, 'examples', name, 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  })
  // Otherwise its process stays as long as this one.
  await stop()
  await mkdir(dirname(file), { recursive: true })
  // Renamed into place: another run may be about to read it.
  const draft = `${file}.${process.pid}`
  await writeFile(draft, outputFiles[0].contents)
  await rename(draft, file)
  process.chdir(root)
  await import(pathToFileURL(file).href)
}
