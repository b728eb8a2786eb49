import { setFlagsFromString } from 'node:v8'

/** How much code runs (V8's unit, bytes of bytecode) before the optimizing compiler looks at it: V8's own and ours. */
const USUAL_BUDGET = 66 * 1024
const PATIENT_BUDGET = 300_000
/** V8 has no such flag from this version on (Node 22), and complains of flags that it does not know. */
const WITHOUT_BUDGET = 12
/** Bytes that a process has received and sent when it is worth to compile for speed. */
const MUCH_WORK = 64 * 1024 * 1024

let patient = false

/**
 * Keeps V8 from optimizing what runs for a moment only: a server that gets a release of 20 MB otherwise spends a fifth of its
 * CPU time on that.
 */
export function compileLater(): void {
  setBudget(PATIENT_BUDGET)
  patient = true
}

export function compileAsUsual(): void {
  setBudget(USUAL_BUDGET)
  patient = false
}

/** To be told, now and then, how many bytes a process has received and sent: after many it compiles as usual. */
export function compileSoonAfter(bytes: number): void {
  if (patient && bytes >= MUCH_WORK) compileAsUsual()
}

function setBudget(budget: number): void {
  if (Number.parseInt(process.versions.v8, 10) < WITHOUT_BUDGET)
    setFlagsFromString(`--interrupt-budget=${budget}`)
}
