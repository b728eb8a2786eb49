import { command } from '../../../text/shell-quote.ts'

/** Becomes a program of Node's. `setNode` sets `node` (find-node-script.ts); `words` are Node's arguments. */
export const nodeScript = (setNode: string, ...words: string[]): string =>
  `${setNode}\nexec "$node" ${command(...words)}`
