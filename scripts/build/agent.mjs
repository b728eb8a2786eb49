import { build } from 'esbuild'
import { lazyBuiltins } from './builtins.mjs'
import { unusedInAgent } from './stubs.mjs'

/** The end of a comment, within the comment. */
const COMMENT_END = '*\\x01/'
const AFTER = '*/\n'

/**
 * The agent in one file, which is all that a server needs: `boot.ts`, and the program in a comment behind it.
 *
 * @returns esbuild's result for the program, but with the file as its output
 */
export async function buildAgent({ outfile, ...options }) {
  const common = {
    ...options,
    bundle: true,
    platform: 'node',
    target: 'node20',
    charset: 'ascii',
    write: false,
  }
  const program = await build({
    ...common,
    entryPoints: ['src/agent/main.ts'],
    outfile,
    format: 'cjs',
    define: { ...options.define, 'import.meta.url': '__fileUrl' },
    banner: { js: `const __fileUrl=require('node:url').pathToFileURL(__filename).href;` },
    plugins: [lazyBuiltins, unusedInAgent],
  })
  const text = program.outputFiles[0].text.replaceAll('*/', COMMENT_END)
  const place = { start: text.length + AFTER.length, end: AFTER.length, commentEnd: COMMENT_END }
  const boot = await build({
    ...common,
    entryPoints: ['src/agent/boot.ts'],
    outfile,
    format: 'esm',
    define: { MURDER_PROGRAM: JSON.stringify(place) },
    banner: { js: '#!/usr/bin/env node' },
  })
  const contents = Buffer.from(`${boot.outputFiles[0].text}/*${text}${AFTER}`)
  return { ...program, outputFiles: [{ path: outfile, contents }] }
}
