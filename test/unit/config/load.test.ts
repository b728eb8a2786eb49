import { describe, expect, test } from 'vitest'
import * as paths from '../../../src/config/kinds/paths.ts'
import { loadSettings } from '../../../src/config/load.ts'
import { MurderError } from '../../../src/errors.ts'

const fleet = ['deploy@a', 'deploy@b:2222', { host: 'c', user: 'app', port: 2200 }]
const load = (file: unknown, env: Record<string, string> = {}, servers: unknown = fleet) =>
  loadSettings({ file, env, deployTo: '/srv/app', servers })

/** The lines of the error that `load` ends in. */
function problems(run: () => unknown): string[] {
  try {
    run()
  } catch (error) {
    if (!(error instanceof MurderError)) throw error
    expect(error).toMatchObject({ code: 'SETTINGS', exitCode: 2 })
    return error.message.split('\n')
  }
  return []
}

describe('values', () => {
  test('defaults, with no murder key at all', () => {
    const { settings, origins } = load(undefined)
    expect(settings).toEqual({
      tracker: { port: 8998, allow: [], at: 'seeder' },
      trackerPorts: [8998, 9029],
      seeder: 'local',
      remotePath: '/srv/app/shared/murder',
      temporaryPath: '/srv/app/shared/murder/tmp',
      ports: [6881, 6999],
      reach: 'auto',
      between: 'direct',
      betweenAddresses: [],
      linger: 30,
      package: 'file',
      compression: 'auto',
      ignore: [],
      allowStrangers: false,
      encrypt: false,
      uploadLimit: 0,
      downloadLimit: 0,
      roles: [],
      only: [],
      except: [],
      sites: [],
      concurrency: 30,
      timeouts: { connect: 10, stall: 60, total: 0, health: 60, hook: 120 },
      rollout: { confirm: 0, local: {}, watch: 0, pause: 0, revert: true },
      notify: { on: ['started', 'published', 'failed', 'reverted', 'rolledBack'] },
      tolerate: 0,
      retries: 12,
      rollbackAny: false,
      deltas: true,
      keepContent: 1024 ** 3,
      noTagDirectory: false,
      pathIsFile: false,
      page: {},
      unsafePleaseDelete: false,
    })
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']))
  })

  test.each([
    [{ page: true }, {}, { serve: true }],
    [{ page: { port: 8080 } }, {}, { port: 8080 }],
    [{ page: { port: 8080 } }, { MURDER_PAGE: '0' }, { serve: false, port: 8080 }],
    [undefined, { MURDER_PAGE: '1', MURDER_PAGE_PORT: '8080' }, { serve: true, port: 8080 }],
  ])('the page: %j %j', (file, env, page) => expect(load(file, env).settings.page).toEqual(page))

  test.each([
    [{ tracker: { port: 8998 } }, {}],
    [undefined, { MURDER_TRACKER_PORT: '8998' }],
  ])('a tracker port that is set, also to the default, is the only one: %j %j', (file, env) => {
    expect(load(file, env).settings.trackerPorts).toEqual([8998, 8998])
  })

  test('environment over shipitfile over default, and the origin of each value', () => {
    const file = { tracker: { port: 9000 }, linger: 5, timeouts: { stall: 90 } }
    const { settings, origins } = load(file, { MURDER_TRACKER_PORT: '9001', MURDER_TIMEOUTS_CONNECT: '3' })
    expect(settings.tracker.port).toBe(9001)
    expect(settings.linger).toBe(5)
    expect(settings.timeouts).toEqual({ connect: 3, stall: 90, total: 0, health: 60, hook: 120 })
    expect(origins).toMatchObject({
      'tracker.port': 'environment MURDER_TRACKER_PORT',
      'tracker.address': 'default',
      linger: 'shipitfile',
      'timeouts.connect': 'environment MURDER_TIMEOUTS_CONNECT',
      'timeouts.stall': 'shipitfile',
      'timeouts.total': 'default',
    })
    expect(file).toEqual({ tracker: { port: 9000 }, linger: 5, timeouts: { stall: 90 } })
  })

  test('what an environment does not set comes from `default`, setting by setting', () => {
    const base = {
      tracker: { port: 9000, address: 't' },
      linger: 5,
      stallTimeout: 9,
      sites: { paris: ['a'] },
    }
    const file = {
      tracker: { port: 9001 },
      linger: undefined,
      timeouts: { connect: 4 },
      sites: { rome: ['b'] },
    }
    const { settings } = loadSettings({ file, base, env: {}, deployTo: '/srv/app', servers: fleet })
    expect(settings.tracker).toMatchObject({ port: 9001, address: 't' })
    expect(settings.linger).toBe(30)
    expect(settings.timeouts).toMatchObject({ connect: 4, stall: 9 })
    expect(settings.sites.map(({ name }) => name)).toEqual(['rome'])
    const alone = loadSettings({
      file: { tracker: 'local' },
      base,
      env: {},
      deployTo: '/srv/app',
      servers: fleet,
    })
    expect(alone.settings.tracker).toMatchObject({ port: 9000, at: 'local' })
    const wrong = () =>
      loadSettings({ file: {}, base: { lingr: 1 }, env: {}, deployTo: '/srv/app', servers: fleet })
    expect(problems(wrong)).toEqual([expect.stringContaining('murder.lingr (found 1) is no setting')])
  })

  test('undefined in a shipitfile is the default', () => {
    const { settings, origins } = load({ linger: undefined, tracker: undefined })
    expect(settings.linger).toBe(30)
    expect(settings.tracker.port).toBe(8998)
    expect(origins.linger).toBe('default')
  })

  test('an empty variable counts as not set', () => {
    const { settings, origins } = load({ linger: 5 }, { MURDER_LINGER: '' })
    expect(settings.linger).toBe(5)
    expect(origins.linger).toBe('shipitfile')
  })

  test.each([
    ['MURDER_PORTS', '7000-7010', { ports: [7000, 7010] }],
    ['MURDER_PORTS', '7000', { ports: [7000, 7000] }],
    ['MURDER_PORTS', '0', { ports: [0, 0] }],
    ['MURDER_PORTS', '0-0', { ports: [0, 0] }],
    ['MURDER_IGNORE', '*.log, /tmp ,', { ignore: ['*.log', '/tmp'] }],
    ['MURDER_DELTAS', 'no', { deltas: false }],
    ['MURDER_DELTAS', '1', { deltas: true }],
    ['MURDER_UPLOAD_LIMIT', '10M', { uploadLimit: 10 * 1024 ** 2 }],
    ['MURDER_DOWNLOAD_LIMIT', '1.5k', { downloadLimit: 1536 }],
    ['MURDER_PIECE_LENGTH', '256K', { pieceLength: 262_144 }],
    ['MURDER_SEEDER', 'deploy@a', { seeder: 'deploy@a' }],
    ['MURDER_LINGER', '0.5', { linger: 0.5 }],
    ['MURDER_REMOTE_PATH', '/var/lib/murder/', { remotePath: '/var/lib/murder' }],
    ['MURDER_TRACKER_ADDRESS', '2001:db8::1', { tracker: { port: 8998, address: '2001:db8::1' } }],
  ])('%s=%s', (variable, text, expected) => {
    expect(load({}, { [variable]: text }).settings).toMatchObject(expected)
  })

  test.each([
    [{ ports: [0, 0] }, { ports: [0, 0] }],
    [{ ports: '7000-7001' }, { ports: [7000, 7001] }],
    [{ ports: 7000 }, { ports: [7000, 7000] }],
    [{ uploadLimit: 4096 }, { uploadLimit: 4096 }],
    [{ uploadLimit: '1G' }, { uploadLimit: 1024 ** 3 }],
    [{ pieceLength: 16_384 }, { pieceLength: 16_384 }],
    [{ pieceLength: '16M' }, { pieceLength: 16 * 1024 ** 2 }],
  ])('%j in a shipitfile', (file, expected) => {
    expect(load(file).settings).toMatchObject(expected)
  })

  test('temporaryPath follows remotePath', () => {
    expect(load({ remotePath: '/var/lib/murder' }).settings.temporaryPath).toBe('/var/lib/murder/tmp')
  })
})

describe('problems, one complete line each', () => {
  test.each<[unknown, string]>([
    [
      { tracker: { prot: 8998 } },
      'murder.tracker.prot (found 8998) is no setting: did you mean murder.tracker.port? allowed: port, address, allow, at',
    ],
    [
      { trackerPort: 8998 },
      'murder.trackerPort (found 8998) is no setting: did you mean murder.tracker.port? allowed: tracker, seeder, peers, roles, only, except, announce, remotePath, temporaryPath, node, ports, reach, between, betweenAddresses, linger, package, compression, ignore, uploadLimit, downloadLimit, sites, concurrency, timeouts, tolerate, retries, batch, rollout, notify, activate, rollbackAny, pieceLength, allowStrangers, encrypt, deltas, keepContent, tag, filesPath, destinationPath, noTagDirectory, pathIsFile, page, unsafePleaseDelete',
    ],
    [
      { tracker: { stallTimeout: 1 } },
      'murder.tracker.stallTimeout (found 1) is no setting: did you mean murder.timeouts.stall? allowed: port, address, allow, at',
    ],
    [
      { tracker: { xyz: 1 } },
      'murder.tracker.xyz (found 1) is no setting: allowed: port, address, allow, at',
    ],
    [{ tracker: { port: '80a' } }, 'murder.tracker.port is "80a": allowed: a whole number from 1 to 65535'],
    [{ tracker: { port: '8998' } }, 'murder.tracker.port is "8998": allowed: a whole number from 1 to 65535'],
    [{ tracker: { port: 0 } }, 'murder.tracker.port is 0: allowed: a whole number from 1 to 65535'],
    [{ tracker: { port: 1.5 } }, 'murder.tracker.port is 1.5: allowed: a whole number from 1 to 65535'],
    [{ tracker: 8998 }, 'murder.tracker is 8998: allowed: an object with port, address, allow, at'],
    [
      { compression: 'gz' },
      'murder.compression is "gz": did you mean gzip? allowed: auto, brotli, gzip, zstd, none',
    ],
    [{ compression: null }, 'murder.compression is null: allowed: auto, brotli, gzip, zstd, none'],
    [
      { ports: [6999, 6881] },
      "murder.ports is [6999,6881]: allowed: first and last port, each 1 to 65535, as [6881, 6999] or '6881-6999'; 0 for any free port",
    ],
    [
      { announce: '10.0.0.1:8998' },
      'murder.announce is "10.0.0.1:8998": allowed: a host name or an IP address, without a port',
    ],
    [
      { uploadLimit: '10Mbit' },
      'murder.uploadLimit is "10Mbit": allowed: bytes (not bits) a second, at least 1024, as a number or with K, M or G as in \'10M\'; 0 for no limit',
    ],
    [
      { pieceLength: '100K' },
      'murder.pieceLength is "100K": allowed: a power of two from 16 KiB to 16 MiB, as a number of bytes or as in \'256K\'',
    ],
    [
      { ignore: '*.log' },
      "murder.ignore is \"*.log\": allowed: a list of patterns such as ['*.log', '/tmp']",
    ],
    [
      { ignore: ['a', 1] },
      "murder.ignore is [\"a\",1]: allowed: a list of patterns such as ['*.log', '/tmp']",
    ],
    [{ deltas: 'yes' }, 'murder.deltas is "yes": allowed: true or false'],
    [{ node: '' }, `murder.node is "": allowed: ${paths.node.allowed}`],
    [{ node: { bring: '' } }, `murder.node is {"bring":""}: allowed: ${paths.node.allowed}`],
    [
      { node: { bring: 'node', at: 1 } },
      `murder.node is {"bring":"node","at":1}: allowed: ${paths.node.allowed}`,
    ],
    [
      { remotePath: '/srv/a\nb' },
      'murder.remotePath is "/srv/a\\nb": allowed: an absolute path without line breaks',
    ],
    [
      { temporaryPath: 'tmp' },
      'murder.temporaryPath is "tmp": allowed: an absolute path without line breaks',
    ],
    [
      { temporaryPath: '/tmp/\0' },
      'murder.temporaryPath is "/tmp/\\u0000": allowed: an absolute path without line breaks',
    ],
    [{ linger: -1 }, 'murder.linger is -1: allowed: a number of seconds from 0 to 604800'],
    [
      { timeouts: { stall: Number.NaN } },
      'murder.timeouts.stall is NaN: allowed: a number of seconds from 0 to 604800, 0 for no limit',
    ],
    [{ concurrency: () => 3 }, 'murder.concurrency is a function: allowed: a whole number from 1 to 1000'],
    [[], 'murder is []: allowed: an object of settings'],
    [true, 'murder is true: allowed: an object of settings'],
  ])('%j', (file, line) => {
    expect(problems(() => load(file))).toEqual([line])
  })

  test.each<[string, string, string]>([
    [
      'MURDER_TRACKER_PORT',
      '80a',
      'MURDER_TRACKER_PORT (murder.tracker.port) is "80a": allowed: a whole number from 1 to 65535',
    ],
    [
      'MURDER_TRACKER_PROT',
      '80',
      'MURDER_TRACKER_PROT (found "80") is no variable of shipit-murder: did you mean MURDER_TRACKER_PORT?',
    ],
    [
      'MURDER_OUTPT',
      'json',
      'MURDER_OUTPT (found "json") is no variable of shipit-murder: did you mean MURDER_OUTPUT?',
    ],
    [
      'MURDER_LINGER',
      'long',
      'MURDER_LINGER (murder.linger) is "long": allowed: a number of seconds from 0 to 604800',
    ],
    ['MURDER_DRY_RUN', 'ture', 'MURDER_DRY_RUN is "ture": allowed: true or false'],
    ['MURDER_DELTAS', 'maybe', 'MURDER_DELTAS (murder.deltas) is "maybe": allowed: true or false'],
  ])('%s=%s', (variable, text, line) => {
    expect(problems(() => load({}, { [variable]: text }))).toEqual([line])
  })

  test('a variable that is like nothing lists what there is', () => {
    expect(problems(() => load({}, { MURDER_XQZ: '1' }))[0]).toMatch(
      /^MURDER_XQZ \(found "1"\) is no variable of shipit-murder: allowed: MURDER_TRACKER_PORT, .*MURDER_DELTAS/,
    )
  })

  test('variables of other features, and of other programs, are nobody’s mistake', () => {
    const env = {
      MURDER_OUTPUT: 'json',
      MURDER_DEBUG: '1',
      MURDER_DRY_RUN: '1',
      MURDER_TEMP_PATH: '/x',
      PATH: '/bin',
      murder_x: '1',
    }
    expect(problems(() => load({}, env))).toEqual([])
  })

  test('several at once, in a stable order', () => {
    expect(
      problems(() =>
        loadSettings({
          file: { linger: 'x', lingr: 1, tracker: { port: 0 }, seeder: 'nobody' },
          env: { MURDER_CONCURRENCY: '0', MURDER_NOD: 'x' },
          deployTo: 'srv/app',
          servers: ['deploy@a'],
        }),
      ),
    ).toEqual([
      'murder.tracker.port is 0: allowed: a whole number from 1 to 65535',
      'murder.linger is "x": allowed: a number of seconds from 0 to 604800',
      'MURDER_CONCURRENCY (murder.concurrency) is "0": allowed: a whole number from 1 to 1000',
      expect.stringMatching(
        /^murder\.lingr \(found 1\) is no setting: did you mean murder\.linger\? allowed: tracker, /,
      ),
      'MURDER_NOD (found "x") is no variable of shipit-murder: did you mean MURDER_NODE?',
      "deployTo is \"srv/app\": allowed: an absolute path below '/', without '..' and line breaks, such as /srv/app",
      'murder.seeder is "nobody", which is not in servers: allowed: local, deploy@a, or another one as user@host',
    ])
  })

  test('what was found is never long and never more than a line', () => {
    const [line = ''] = problems(() => load({ linger: 'x\n'.repeat(100) }))
    expect(line).toBe(
      `murder.linger is "${'x\\n'.repeat(19)}x…: allowed: a number of seconds from 0 to 604800`,
    )
    const [unknown = ''] = problems(() => load({ ['k\n'.repeat(100)]: 1 }))
    expect(unknown.split(' (found')[0]?.length).toBeLessThan(70)
  })

  test('a value that refers to itself', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    expect(problems(() => load({ linger: loop }))).toEqual([
      'murder.linger is an object: allowed: a number of seconds from 0 to 604800',
    ])
  })

  test.each([undefined, '', 'srv', '/srv/\n', 5, '/', '/./', '/srv/../a'])('deployTo %j', (deployTo) => {
    const lines = problems(() => loadSettings({ file: {}, env: {}, deployTo, servers: fleet }))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /^deployTo is .*: allowed: an absolute path below '\/', without '\.\.' and line breaks, such as \/srv\/app$/,
    )
  })

  test.each([
    '/',
    '/srv/app',
    '/srv/app/',
    '/srv/app/releases',
    '/srv/app/releases/x',
    '/srv/x/../app/current',
  ])('directory %s is not the agent’s own', (remotePath) => {
    expect(problems(() => load({ remotePath }))).toEqual([
      `murder.remotePath is "${remotePath}": allowed: a directory of its own, outside of the releases, such as /srv/app/shared/murder`,
    ])
  })

  test('nor is one of an entry with a deployTo of its own', () => {
    const servers = ['deploy@a', { host: 'b', deployTo: '/data/b' }]
    expect(problems(() => load({ temporaryPath: '/data/b/releases/tmp' }, {}, servers))).toEqual([
      'murder.temporaryPath is "/data/b/releases/tmp": allowed: a directory of its own, outside of the releases, such as /data/b/shared/murder',
    ])
  })
})

describe('seeder', () => {
  test.each([
    'local',
    'a',
    'deploy@a',
    'deploy@a:22',
    'b',
    'b:2222',
    'deploy@b:2222',
    'c',
    'app@c',
    'app@c:2200',
  ])('%s is one of the fleet', (seeder) => {
    expect(load({ seeder }).settings.seeder).toBe(seeder)
  })

  test('a server that is not there, nearly there, or there twice', () => {
    expect(problems(() => load({ seeder: 'd' }))).toEqual([
      'murder.seeder is "d", which is not in servers: allowed: local, deploy@a, deploy@b:2222, app@c:2200, or another one as user@host',
    ])
    expect(problems(() => load({}, { MURDER_SEEDER: 'zzzzzzzzz' }))).toEqual([
      'MURDER_SEEDER (murder.seeder) is "zzzzzzzzz", which is not in servers: allowed: local, deploy@a, deploy@b:2222, app@c:2200, or another one as user@host',
    ])
    expect(problems(() => load({ seeder: 'a' }, {}, ['deploy@a:1', 'deploy@a:2']))).toEqual([
      'murder.seeder is "a", which is more than one server: allowed: one of deploy@a:1, deploy@a:2',
    ])
  })

  test('servers may be a single entry', () => {
    expect(load({ seeder: 'a' }, {}, 'deploy@a').settings.seeder).toBe('a')
  })

  test('may be a server besides the fleet', () => {
    for (const seeder of ['deploy@s.example.com', 'deploy@s.example.com:2222'])
      expect(load({ seeder }).settings.seeder).toBe(seeder)
  })

  test('a large fleet does not make a long line', () => {
    const many = Array.from({ length: 500 }, (_, index) => `deploy@host${index}`)
    expect(problems(() => load({ seeder: 'zzzzzzzzzzzzz' }, {}, many))[0]).toMatch(
      /host8 and 491 more, or another one as user@host$/,
    )
  })
})

test('stallTimeout and totalTimeout are other names of timeouts.stall and timeouts.total', () => {
  const { settings, origins } = load(
    { stallTimeout: 7, timeouts: { connect: 3 } },
    { MURDER_TOTAL_TIMEOUT: '99' },
  )
  expect(settings.timeouts).toMatchObject({ connect: 3, stall: 7, total: 99 })
  expect(origins['timeouts.stall']).toBe('shipitfile')
  expect(origins['timeouts.total']).toBe('environment MURDER_TOTAL_TIMEOUT')
  expect(problems(() => load({ stallTimeout: 7, timeouts: { stall: 8 } }))).toEqual([
    'murder.stallTimeout and murder.timeouts.stall are one setting: remove one of them',
  ])
})

test('a pattern in ignores that rsync would not get as it is written', () => {
  const input = { file: {}, env: {}, deployTo: '/srv/app', servers: ['a'] }
  expect(problems(() => loadSettings({ ...input, copy: { ignores: ['$HOME'] } }))).toEqual([
    expect.stringMatching(/^ignores has "\$HOME"/),
  ])
})

test.each([{ copyAsDir: true }, { rsync: '-L' }])(
  'a directory as it is cannot be one with %j',
  (remoteCopy) => {
    const input = { env: {}, deployTo: '/srv/app', servers: ['a'], copy: { deploy: { remoteCopy } } }
    expect(problems(() => loadSettings({ ...input, file: { package: 'directory' } }))).toEqual([
      expect.stringMatching(/^murder\.package is "directory", but in deploy\.remoteCopy /),
    ])
    expect(() => loadSettings({ ...input, file: {} })).not.toThrow()
  },
)
