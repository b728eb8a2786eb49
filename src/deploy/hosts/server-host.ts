import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { type Content, upload } from '../../fleet/upload.ts'
import { parseRuns, type RunStatus } from '../../protocol/run-status.ts'
import { defined } from '../../system/defined.ts'
import type { TaskContext } from '../context/context.ts'
import { agentPath } from '../paths/agent-program.ts'
import { placesOf } from '../paths/places.ts'
import { setNodeOf } from '../paths/server-node.ts'
import { clearScript, printScript, runsScript } from '../scripts/host-script.ts'
import { nodeScript } from '../scripts/node/node-script.ts'
import { STALL_GRACE_S } from '../timeouts.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { Host, type HostPaths } from './host.ts'
import type { AgentCommand } from './running-agent.ts'

/** Time for a question, for a file that comes over SSH, and for removing uploads. */
const ANSWER_TIMEOUT_S = 60
const CLEAR_TIMEOUT_S = 30
/** Length of a file that comes over SSH, in base64. */
const MAX_FILE_CHARACTERS = 100 * 1024 * 1024

export class ServerHost extends Host {
  readonly label: string
  readonly server: Server

  constructor(context: TaskContext, server: Server, paths: HostPaths) {
    super(context, paths)
    this.label = server.label
    this.server = server
  }

  put(name: string, content: Buffer | string, directory?: string): Promise<string> {
    return this.#upload(name, Buffer.from(content), directory)
  }

  bring({ file, length, sha256 }: Transfer): Promise<string> {
    return this.#upload('package', { bytes: length, sha256, open: () => createReadStream(file) })
  }

  async get(name: string): Promise<Buffer> {
    const { fleet, signal } = this.context
    const script = printScript(posix.join(this.directory, name))
    const options = { signal, totalTimeoutS: ANSWER_TIMEOUT_S, maxOutputBytes: MAX_FILE_CHARACTERS }
    return Buffer.from(await fleet.one(this.server, 'torrent', { script }, options), 'base64')
  }

  async status(): Promise<RunStatus[]> {
    const { fleet } = this.context
    const { remotePath } = placesOf(this.context, this.server)
    const setNode = setNodeOf(this.context, this.server)
    const script = runsScript({ remotePath, setNode, agent: agentPath({ remotePath }), runs: this.runs })
    return parseRuns(await fleet.one(this.server, 'seed', { script }, { totalTimeoutS: ANSWER_TIMEOUT_S }))
  }

  async clear(): Promise<void> {
    const script = clearScript(this.directory)
    await this.context.fleet.one(this.server, 'seed', { script }, { totalTimeoutS: CLEAR_TIMEOUT_S })
  }

  protected async execute({ args, onLine, input, signal }: AgentCommand): Promise<MurderError | undefined> {
    const { fleet, settings } = this.context
    const setNode = setNodeOf(this.context, this.server)
    const script = nodeScript(setNode, agentPath(placesOf(this.context, this.server)), ...args)
    const stdin = input && (() => input)
    // An agent that reads an input may be silent until it is asked something.
    const stallTimeoutS = input || settings.timeouts.stall === 0 ? 0 : settings.timeouts.stall + STALL_GRACE_S
    const options = { stallTimeoutS, ...defined({ signal }) }
    const outcome = await fleet.runOn(this.server, 'seed', { script, onLine, ...defined({ stdin }) }, options)
    if (!outcome.ok) return outcome.error
    if (!input) return undefined
    const name = args[0] === 'seed' ? 'seeder' : args[0]
    return new MurderError('AGENT_ENDED', `${this.label}: the ${name} ended early`)
  }

  async #upload(name: string, content: Content, directory = this.directory): Promise<string> {
    const { fleet, settings, signal } = this.context
    const to = posix.join(directory, name)
    const options = { signal, stallTimeoutS: settings.timeouts.stall }
    await upload(fleet, this.server, { content, to, mode: 0o600, step: 'seed' }, options)
    return to
  }
}
