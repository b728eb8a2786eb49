/**
 * The parts of the host that this plugin uses, as structural types: shipit-cli, shipit-deploy and ssh-pool 5.3 have none. The
 * build copies this file into the published declarations, so it contains only types and imports only `MurderSettings`.
 */
import type { MurderSettings } from './config/schema.ts'

/** A server as the user writes it: `user@host:port`, or an entry. */
export type Server = string | ServerEntry

/** An entry of `servers`: how to reach the server, and its own settings. */
export interface ServerEntry extends Remote {
  /** Its name in output and settings, in place of `user@host:port`. */
  label?: string
  /** Its purposes. The setting `roles` chooses servers by them, and commands may be for one role. */
  roles?: string | string[]
  /** Its place, as in the setting `sites`. */
  site?: string
  /** Replaces the environment's. Plugins that read `shipit.releasePath` do not know it. */
  deployTo?: string
  /** Name or path of Node there, in place of the setting `node`. */
  node?: string
  /** Environment variables of commands that run there for you. */
  env?: Record<string, string | number | boolean>
}

/** A server as ssh-pool parses it. */
export interface Remote {
  host: string
  user?: string
  port?: number
  /** Become `ssh -o key=value`. */
  extraSshOptions?: Record<string, string | number>
}

/** One environment of a shipitfile, or its `default`. Shipit and other plugins read more keys than these. */
export interface ShipitConfig {
  servers?: Server | Server[]
  /** Path of an SSH private key. */
  key?: string
  /** User that commands run as, through sudo. */
  asUser?: string
  /** Value of ssh's StrictHostKeyChecking. */
  strict?: boolean | 'yes' | 'no' | 'ask' | 'accept-new'
  /** 0 (default) to 3: how many `-v` ssh gets. */
  verboseSSHLevel?: number
  deployTo?: string
  repositoryUrl?: string
  branch?: string
  workspace?: string
  keepWorkspace?: boolean
  keepReleases?: number
  shallowClone?: boolean
  deleteOnRollback?: boolean
  /** Patterns of files left out of a release, as for rsync's `--exclude`. */
  ignores?: string[]
  /** Options of rsync, unless `deploy.remoteCopy` has its own. */
  rsync?: string | string[]
  deploy?: { remoteCopy?: { copyAsDir?: boolean; rsync?: string | string[]; ignores?: string[] } }
  /** Directory to deploy, where it isn't the workspace. */
  rsyncFrom?: string
  /** Directory inside the workspace to deploy. */
  dirToCopy?: string
  /** Settings of this plugin. */
  murder?: MurderSettings
  [key: string]: unknown
}

/** ssh-pool's connection to one server. It opens nothing until a command runs. */
export interface Connection {
  remote: Remote & { user: string }
  options: {
    key?: string | undefined
    asUser?: string | undefined
    strict?: boolean | string | undefined
    tty?: boolean | undefined
    verbosityLevel?: number | undefined
    log?: ((...args: unknown[]) => void) | undefined
  }
}

/** Result of a command that ended with exit code 0; ssh-pool rejects on any other. */
export interface CommandResult {
  stdout: string
  stderr: string
}

/** A task as the orchestrator keeps it. */
export interface ShipitTask {
  name: string
  dep: string[]
  fn: (...args: never[]) => unknown
  blocking?: boolean
}

/** Argument of the orchestrator's `task_err`. */
export interface TaskFailure {
  task: string
  message: string
  err?: unknown
}

/** What this plugin adds to `shipit`. */
export interface Murder {
  /** The servers that take part, or those of them with this role. */
  servers(which?: { role?: string }): ServerPool
}

/** Servers to run commands on, each with its own values. */
export interface ServerPool {
  readonly servers: readonly PooledServer[]
  /** ssh-pool's connections to them, for copies. */
  readonly connections: readonly Connection[]
  /**
   * Runs a command of sh on all of them at once, in their `current` if they have one, with the values of each in its environment:
   * MURDER_HOST, MURDER_ROLES, MURDER_RELEASE and the entry's own `env`. Command and values travel on standard input. If it fails
   * on any server, this rejects, after it has ended everywhere.
   */
  run(command: string, options?: CommandOptions): Promise<ServerResult[]>
}

export interface CommandOptions {
  /** Where it runs. */
  cwd?: string
  /** Seconds that it may take; 0, which is the default, is no limit. */
  timeout?: number
}

/** A server as commands see it. */
export interface PooledServer {
  label: string
  host: string
  user: string
  port: number
  roles: readonly string[]
  site: string | undefined
  deployTo: string
}

export interface ServerResult extends CommandResult {
  server: PooledServer
}

/** The host that a shipitfile gets as its argument. */
export interface Shipit {
  environment: string
  /** The tasks of this call in their order, once they run. */
  seq?: string[]
  /** `default` merged with the environment, one level deep. Empty until `initConfig`. */
  config: ShipitConfig
  globalConfig: Record<string, ShipitConfig>
  /** Where its log goes, and the output of commands. Undefined in hosts other than shipit-cli. */
  options?: { log(...args: unknown[]): void; stdout?: unknown; stderr?: unknown }
  /** Filled at `init:after_ssh_pool`, before any task runs. */
  pool?: { connections: Connection[] }
  tasks: Record<string, ShipitTask>

  initConfig(config: Record<string, ShipitConfig>): unknown
  log(...args: unknown[]): void
  emit(event: string, ...args: unknown[]): boolean
  on(event: string, listener: (...args: never[]) => unknown): unknown
  listeners?(event: string): unknown[]
  /** What this plugin adds. */
  murder: Murder
  hasTask(name: string): boolean
  /** Registers a task, replacing one of the same name. */
  task(name: string, run: () => unknown): unknown
  task(name: string, after: string[], run?: () => unknown): unknown
  /** The same for a task that runs alone. */
  blTask(name: string, run: () => unknown): unknown
  blTask(name: string, after: string[], run?: () => unknown): unknown
  start(...tasks: (string | string[])[]): unknown
  local(command: string, options?: Record<string, unknown>): Promise<CommandResult>
  remote(command: string, options?: Record<string, unknown>): Promise<CommandResult[]>

  /** From here on fields are shipit-deploy's. `deploy:fetch` sets this one. */
  workspace?: string | undefined
  /** `<deployTo>/current` and `<deployTo>/releases`, set when one of its tasks starts. */
  currentPath?: string | undefined
  releasesPath?: string | undefined
  /** Set by `deploy:update` and `rollback:init`, read by `deploy:publish`. A `deploy:publish` by itself sets them. */
  releaseDirname?: string | undefined
  releasePath?: string | undefined
  /** Directory name and revision of the release that is live before this deploy; null when there is none. */
  previousRelease?: string | null | undefined
  previousRevision?: string | null | undefined
  currentRevision?: string | undefined
  /** Set by `rollback:init`: the release that was live before, which `rollback:finish` may delete. */
  prevReleaseDirname?: string | undefined
  prevReleasePath?: string | undefined

  getCurrentReleaseDirname?(): Promise<string | null>
  getReleases?(): Promise<string[] | null>
  getRevision?(release: string): Promise<string>
}
