import { connect, isIP, Socket } from 'node:net'
import { MurderError } from '../../errors.ts'
import { socketPath } from './gate.ts'
import { UNWANTED_VARIABLES } from './ssh-config.ts'

/**
 * The other end of a link, the forced command of its key. It is a stream into the peer of one transfer on this machine, and
 * nothing else. It first tells the peer from where the connection comes, as sshd knows it.
 */
export function beOtherEnd(directory: string): Promise<void> {
  const taken = UNWANTED_VARIABLES.find((variable) => process.env[variable] === '/dev/null')
  if (taken !== undefined) return Promise.reject(takesVariables())
  const [client = ''] = (process.env.SSH_CONNECTION ?? '').split(' ')
  return new Promise<void>((resolve, reject) => {
    const peer = connect({ path: socketPath(directory), allowHalfOpen: true })
    // Unlike process.stdout these do not block.
    const [input, output] = [
      new Socket({ fd: 0, readable: true, writable: false }),
      new Socket({ fd: 1, readable: false, writable: true }),
    ]
    peer.on('error', () => reject(noDeploy()))
    for (const socket of [input, output]) socket.on('error', () => peer.destroy())
    peer.on('connect', () => peer.write(`${isIP(client) > 0 ? client : ''}\n`))
    peer.once('data', (greeting: Buffer) => {
      output.write(greeting)
      peer.pipe(output)
      input.pipe(peer)
    })
    peer.on('close', () => (output.writableLength > 0 ? output.once('close', resolve) : resolve()))
  })
}

const takesVariables = () =>
  new MurderError(
    'ENVIRONMENT',
    'sshd here takes any variable of a client (AcceptEnv), which a key must not set',
  )

const noDeploy = () => new MurderError('NO_DEPLOY', 'no deploy is running here that this key belongs to')
