import { text } from 'node:stream/consumers'
import { deliver, type Notice } from './deliver.ts'

/**
 * A program of its own, because a deploy does not wait for it and often ends at once: reads a notice as JSON on standard input
 * and delivers it. Prints a line on standard error for each failed delivery.
 */
const failed = await deliver(JSON.parse(await text(process.stdin)) as Notice)
for (const line of failed) process.stderr.write(`${new Date().toISOString()} ${line}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
