import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { ExitCode } from '../errors.ts'
import { CompiledCode } from './compiled-code.ts'
import { compileAsUsual } from './compiler.ts'
import { letYoungSpaceGrow } from './heap.ts'

/** The built program (main.ts) as the text of a function (require, module, URL of this file), and its hash. */
declare const MURDER_PROGRAM: string
declare const MURDER_PROGRAM_ID: string

/** Starts the program, with what was compiled of it before if that was kept. `require` is the build's (scripts/build.mjs). */
function start([command = '', ...args]: string[]): void {
  const filename = fileURLToPath(import.meta.url)
  const works = /^[a-z][a-z-]*$/.test(command) && !args.includes('--help') && !args.includes('-h')
  const compiled = works ? new CompiledCode(filename, MURDER_PROGRAM_ID, command) : undefined
  const cachedData = compiled?.read()
  const script = new Script(MURDER_PROGRAM, { filename, ...(cachedData && { cachedData }) })
  script.runInThisContext()(require, {}, import.meta.url)
  if (compiled?.isWanted && !cachedData) keepAtEnd(script, compiled)
}

/** At the end all that the command needs has been compiled. */
function keepAtEnd(script: Script, compiled: CompiledCode): void {
  process.once('exit', (code) => {
    if (code !== ExitCode.done) return
    // V8 takes back only what was made with the flags that it starts with.
    compileAsUsual()
    letYoungSpaceGrow()
    compiled.keep(script.createCachedData())
  })
}

start(process.argv.slice(2))
