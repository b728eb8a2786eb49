import { fileURLToPath } from 'node:url'
import { getHeapCodeStatistics } from 'node:v8'
import { Script } from 'node:vm'
import { ExitCode } from '../../errors.ts'
import { CompiledCode } from './code-cache.ts'
import { letYoungSpaceGrow } from './heap.ts'
import { compileAsUsual } from './optimizer.ts'

/** The built program (main.ts) as the text of a function (require, module, URL of this file), and its hash. */
declare const MURDER_PROGRAM: string
declare const MURDER_PROGRAM_ID: string

/** Starts the program, with what was compiled of it before if that was kept. `require` is the build's (scripts/build.mjs). */
function start(command: string): void {
  const filename = fileURLToPath(import.meta.url)
  const compiled = isWord(command) ? new CompiledCode(filename, MURDER_PROGRAM_ID, command) : undefined
  const cachedData = compiled?.code
  const script = new Script(MURDER_PROGRAM, { filename, ...(cachedData && { cachedData }) })
  script.runInThisContext()(require, {}, import.meta.url)
  if (compiled) process.once('exit', (code) => code === ExitCode.done && keep(script, compiled))
}

/** At the end, when all that the command needed has been compiled. */
function keep(script: Script, compiled: CompiledCode): void {
  const extent = getHeapCodeStatistics().bytecode_and_metadata_size
  if (!compiled.wants(extent)) return
  // V8 takes back only what was made with the flags that it starts with.
  compileAsUsual()
  letYoungSpaceGrow()
  compiled.keep(script.createCachedData(), extent)
}

const isWord = (command: string) => /^[a-z][a-z-]*$/.test(command)

start(process.argv[2] ?? '')
