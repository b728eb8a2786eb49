import type { Server } from 'node:http'
import { isSystemError, MurderError } from '../../errors.ts'

/** Listens on the first free port of these. `hosts`: the first that this machine has. Throws PORT_TAKEN, NO_LISTEN. */
export async function listenOnFree(
  http: Server,
  [first, last]: [number, number],
  hosts: string[],
): Promise<void> {
  for (let port = first; port < last; port++) {
    try {
      return await listenOnFirst(http, port, hosts)
    } catch (error) {
      if (!(error instanceof MurderError) || error.code !== 'PORT_TAKEN') throw error
    }
  }
  await listenOnFirst(http, last, hosts)
}

/** `::` also accepts IPv4, if the machine has IPv6 at all. */
async function listenOnFirst(http: Server, port: number, hosts: string[]): Promise<void> {
  for (const host of hosts) {
    try {
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject)
        http.listen(port, host, () => {
          http.off('error', reject)
          resolve()
        })
      })
      return
    } catch (error) {
      if (isSystemError(error, 'EADDRINUSE')) {
        throw new MurderError('PORT_TAKEN', `Port ${port} is taken: the tracker cannot listen there`, {
          cure: 'stop the program that uses it, or choose another port with --port',
          cause: error,
        })
      }
      if (isSystemError(error, 'EAFNOSUPPORT') && host !== hosts.at(-1)) continue
      throw new MurderError(
        'NO_LISTEN',
        `The tracker cannot listen on ${host} port ${port}: ${(error as Error).message}`,
        {
          cure: 'choose an address and a port that this machine may use',
          cause: error,
        },
      )
    }
  }
}
