import { lstatSync, readFileSync } from 'node:fs'
import Module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The program's place in this file, counted from the file's end: a comment. The build fills it in (`scripts/build/agent.mjs`). */
declare const MURDER_PROGRAM: { start: number; end: number; commentEnd: string }

/** Commands that run long enough to compile much. */
const KEPT = ['receive', 'peer', 'seed', 'tracker']

type CompileCache = { enableCompileCache?(directory: string): unknown }

const file = fileURLToPath(import.meta.url)

/**
 * From Node 22.8 on, Node keeps compiled code for the next start in `compile-cache` beside this file, if that directory exists
 * and no other user may write into it. Node keeps what the first process had compiled at its end, so each command has a directory
 * of its own.
 */
function keepCompiled(command = ''): void {
  if (!KEPT.includes(command)) return
  const directory = join(dirname(file), 'compile-cache')
  const found = lstatSync(directory, { throwIfNoEntry: false })
  if (found?.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0)
    (Module as CompileCache).enableCompileCache?.(join(directory, command))
}

/** Node keeps only modules that are compiled after this call, so the program must not be compiled together with this file. */
function run(): void {
  const text = readFileSync(file, 'latin1')
  const { start, end, commentEnd } = MURDER_PROGRAM
  const program = text.slice(text.length - start, text.length - end).replaceAll(commentEnd, '*/')
  const module = new Module(file) as Module & {
    _compile(program: string, file: string, format: string): void
  }
  module._compile(program, file, 'commonjs')
}

keepCompiled(process.argv[2])
run()
