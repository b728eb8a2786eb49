import { type AddressInfo, createServer, type Server } from 'node:net'
import { isSystemError } from '../../errors.ts'
import { type RelayPorts, type TargetName, Tunnel } from '../../protocol/tunnel/tunnel.ts'
import { aborted } from '../../system/abort.ts'
import { pause } from '../../system/backoff.ts'
import { onInterrupt } from '../cli/interrupt.ts'

/** Other users of this machine can connect too, but tracker and seeder serve only processes that know the secret. */
const HOST = '127.0.0.1'
/** The deploy host sends far more often. A connection that nobody closes looks open for a quarter of an hour. */
const SILENCE_MS = 20_000
const LOOK_MS = 1000
/** Time to get the same ports as before the connection broke: the earlier relay may not have noticed yet. */
const PORT_TIMEOUT_MS = 30_000

/** Carries connections to these ports (0: any) through standard input and output, until these end. */
export async function relay(wanted: RelayPorts): Promise<void> {
  let heardMs = performance.now()
  const ended = new AbortController()
  const tunnel = new Tunnel({
    send: (frame) => void process.stdout.write(frame),
    alive: () => tunnel.sayAlive(),
  })
  const interrupt = onInterrupt({ untilEof: true })
  process.stdin.on('data', (chunk: Buffer) => {
    heardMs = performance.now()
    try {
      tunnel.take(chunk)
    } catch {
      ended.abort() // The other side does not speak as we do.
    }
  })
  const timer = setInterval(() => {
    if (performance.now() - heardMs > SILENCE_MS) ended.abort()
  }, LOOK_MS)
  const over = AbortSignal.any([interrupt.signal, ended.signal])
  const listeners: Server[] = []
  try {
    for (const target of ['tracker', 'seeder'] as const)
      listeners.push(await listenFor(tunnel, target, wanted[target], over))
    const [tracker = 0, seeder = 0] = listeners.map((server) => (server.address() as AddressInfo).port)
    tunnel.sayReady({ tracker, seeder })
    await aborted(over)
  } finally {
    clearInterval(timer)
    for (const server of listeners) server.close()
    tunnel.close()
  }
}

async function listenFor(
  tunnel: Tunnel,
  target: TargetName,
  port: number,
  over: AbortSignal,
): Promise<Server> {
  const begunMs = performance.now()
  for (;;) {
    try {
      return await listenOn(tunnel, target, port)
    } catch (error) {
      const isLate = performance.now() - begunMs > PORT_TIMEOUT_MS
      if (!isSystemError(error, 'EADDRINUSE') || isLate || over.aborted) throw error
      await pause(0.5)
    }
  }
}

function listenOn(tunnel: Tunnel, target: TargetName, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      tunnel.open(target, socket),
    )
    server.once('error', reject)
    server.listen(port, HOST, () => {
      server.off('error', reject)
      // A single failed accept (out of descriptors) must not end the process.
      server.on('error', () => {})
      resolve(server)
    })
  })
}
