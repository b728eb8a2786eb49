import { expect, test } from 'vitest'
import { describeSettings } from '../../../src/config/describe.ts'
import { settingInfos, valueAt } from '../../../src/config/keys.ts'
import { loadSettings } from '../../../src/config/load.ts'
import { settingsMarkdown } from '../../../src/config/markdown.ts'

const servers = [{ user: 'deploy', host: 'a.example.com', roles: ['web'] }, 'deploy@b.example.com']
/** What is watched. */
const base = { rollout: { local: { check: './check' } } }
const load = (file: unknown, env: Record<string, string> = {}) =>
  loadSettings({ file, env, deployTo: '/srv/app', servers, base })

test('docs/settings.md says what the schema says (update: npx vitest run --project unit config -u)', async () => {
  await expect(settingsMarkdown()).toMatchFileSnapshot('../../../docs/settings.md')
})

test.each(settingInfos)('the example of $key works, in a shipitfile and as $variable', (info) => {
  const { doc, path, variable, key } = info
  const file = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), doc.example)
  const inFile = load(file)
  const inEnvironment = load({}, { [variable]: doc.kind.toText(doc.example) })
  expect(valueAt(inFile.settings, path)).not.toEqual(info.default)
  expect(inEnvironment.settings).toEqual(inFile.settings)
  expect(inFile.origins[key]).toBe('shipitfile')
  expect(inEnvironment.origins[key]).toBe(`environment ${variable}`)
})

test.each(settingInfos)('$key is documented in one sentence', ({ doc }) => {
  expect(doc.description).toMatch(/^[A-Z].*\.$/)
  expect(doc.description).not.toContain('\n')
})

test('the table of murder:config', () => {
  const { settings, origins } = load(
    { linger: 90, uploadLimit: '10M', ports: 0, ignore: ['*.log', '/tmp'], pieceLength: 262_144 },
    { MURDER_TRACKER_PORT: '9000', MURDER_DELTAS: 'no' },
  )
  expect(`${describeSettings(settings, origins)}\n`).toBe(
    `\
setting                    value                                            from
tracker.port               9000                                             environment MURDER_TRACKER_PORT
tracker.address            the address of the seeder                        default
tracker.allow              nothing                                          default
tracker.at                 seeder                                           default
seeder                     local                                            default
peers                      all servers                                      default
roles                      any                                              default
only                       none named                                       default
except                     none named                                       default
announce                   the deploy host as each server sees it over SSH  default
remotePath                 /srv/app/shared/murder                           default
temporaryPath              /srv/app/shared/murder/tmp                       default
node                       found on each server                             default
ports                      any free port                                    shipitfile
reach                      auto                                             default
between                    direct                                           default
betweenAddresses           none                                             default
linger                     1 min 30 s                                       shipitfile
package                    file                                             default
compression                auto                                             default
ignore                     *.log, /tmp                                      shipitfile
uploadLimit                10.0 MiB/s                                       shipitfile
downloadLimit              no limit                                         default
sites                      none named                                       default
concurrency                30                                               default
timeouts.connect           10 s                                             default
timeouts.stall             1 min                                            default
timeouts.total             no limit                                         default
timeouts.health            1 min                                            default
timeouts.hook              2 min                                            default
tolerate                   0                                                default
retries                    12                                               default
batch                      all servers at once                              default
rollout.groups             as batch says                                    default
rollout.before             none                                             default
rollout.after              none                                             default
rollout.local.beforeGroup  none                                             default
rollout.local.afterGroup   none                                             default
rollout.local.check        ./check                                          shipitfile
rollout.healthCheck        none                                             default
rollout.watch              0 s                                              default
rollout.confirm            0 s                                              default
rollout.undo               none                                             default
rollout.pause              0 s                                              default
rollout.revert             all                                              default
notify.url                 none                                             default
notify.command             none                                             default
notify.on                  all of it                                        default
activate                   none                                             default
rollbackAny                no                                               default
pieceLength                256 KiB                                          shipitfile
allowStrangers             no                                               default
encrypt                    no                                               default
deltas                     no                                               environment MURDER_DELTAS
keepContent                1.0 GiB                                          default
tag                        the time (UTC)                                   default
filesPath                  the workspace                                    default
destinationPath            <deployTo>/releases                              default
noTagDirectory             no                                               default
pathIsFile                 no                                               default
page.serve                 true when page.port is set, else false           default
page.port                  any free port                                    default
unsafePleaseDelete         no                                               default
`,
  )
})
