import { describe, expect, test } from 'vitest'
// @ts-expect-error plain JavaScript, because it runs before anything is compiled
import { released, webAddress } from '../../../scripts/release/changelog.mjs'
// @ts-expect-error plain JavaScript, because it runs before anything is compiled
import { nextVersion, refusal } from '../../../scripts/release/plan.mjs'

describe('the next version', () => {
  test.each([
    ['patch', '1.2.4'],
    ['minor', '1.3.0'],
    ['major', '2.0.0'],
    ['1.2.10', '1.2.10'],
    ['1.10.0', '1.10.0'],
    ['2.0.0', '2.0.0'],
  ])('after 1.2.3, %s is %s', (asked, next) => expect(nextVersion('1.2.3', asked)).toBe(next))

  test.each(['1.2.3', '1.2.2', '1.1.9', '0.9.9'])('%s is not newer than 1.2.3', (asked) => {
    expect(() => nextVersion('1.2.3', asked)).toThrow(`${asked} is not newer than 1.2.3`)
  })

  test.each([undefined, '', 'v1.2.4', '1.2', '1.2.4-rc.1', '01.2.4', '--help'])('%s is none', (asked) => {
    expect(() => nextVersion('1.2.3', asked)).toThrow('Usage: npm run release -- patch|minor|major|X.Y.Z')
  })
})

describe('a checkout', () => {
  const good = { branch: 'main', changes: '', behind: false, tags: ['v1.2.3'] }
  test.each([
    [{}, undefined],
    [{ branch: 'fix' }, 'this is fix: a release is made on main'],
    [{ branch: '' }, 'this is no branch: a release is made on main'],
    [{ changes: '?? a' }, 'there is something uncommitted:\n?? a'],
    [{ behind: true }, 'origin has commits that are not here: git pull first'],
    [{ tags: ['v1.2.3', 'v1.2.4'] }, 'the tag v1.2.4 is there already'],
  ])('with %o is refused: %s', (state, reason) => {
    expect(refusal({ ...good, ...state }, 'v1.2.4')).toBe(reason)
  })
})

describe('the changelog', () => {
  const release = { version: '1.3.0', date: '2027-01-02' }
  const web = 'https://git.example.com/team/app'
  const changelog = (unreleased: string, links = '') =>
    `# Changelog\n\n## [Unreleased]\n${unreleased}\n## [1.2.3] - 2026-12-01\n\n- Old.\n${links}`

  test('gets a heading with the date, and an empty section above it', () => {
    expect(released(changelog("\n### Fixed\n\n- It costs $& and $1, it's so.\n"), release)).toBe(
      "# Changelog\n\n## [Unreleased]\n\n## [1.3.0] - 2027-01-02\n\n### Fixed\n\n- It costs $& and $1, it's so.\n\n" +
        '## [1.2.3] - 2026-12-01\n\n- Old.\n',
    )
  })

  test('gets links that compare with the release before, and keeps the earlier ones', () => {
    const links = `\n[Unreleased]: ${web}/compare/v1.2.3...HEAD\n[1.2.3]: ${web}/releases/tag/v1.2.3\n`
    const text = released(changelog('\n- New.\n', links), { ...release, web, since: 'v1.2.3' })
    expect(text.split('- Old.\n')[1]).toBe(
      `\n[unreleased]: ${web}/compare/v1.3.0...HEAD\n[1.3.0]: ${web}/compare/v1.2.3...v1.3.0\n` +
        `[1.2.3]: ${web}/releases/tag/v1.2.3\n`,
    )
  })

  test('links to the tag where the release before has none', () => {
    const text = released(changelog('\n- New.\n'), { ...release, web })
    expect(text).toContain(`\n[1.3.0]: ${web}/releases/tag/v1.3.0\n`)
  })

  test('may have no release yet', () => {
    const text = released('# Changelog\n\n## [Unreleased]\n\n- New.\n', release)
    expect(text).toBe('# Changelog\n\n## [Unreleased]\n\n## [1.3.0] - 2027-01-02\n\n- New.\n')
  })

  test.each([
    ['', 'has nothing under [Unreleased]'],
    ['\n### Added\n\n### Fixed\n', 'has nothing under [Unreleased]'],
    ['\n- New.\n\n## [1.3.0] - 2026-12-02\n', 'has 1.3.0 already'],
  ])('with %j is refused', (unreleased, reason) => {
    expect(() => released(changelog(unreleased), release)).toThrow(`CHANGELOG.md ${reason}`)
  })

  test('must have the section', () => {
    expect(() => released('# Changelog\n\n- New.\n', release)).toThrow('no heading "## [Unreleased]"')
  })
})

test.each([
  ['git@git.example.com:team/app.git', 'https://git.example.com/team/app'],
  ['git.example.com:team/app', 'https://git.example.com/team/app'],
  ['ssh://git@git.example.com:2222/team/app.git', 'https://git.example.com/team/app'],
  ['https://user:secret@git.example.com/team/app.git', 'https://git.example.com/team/app'],
  ['https://git.example.com:8443/team/app/', 'https://git.example.com:8443/team/app'],
  ['/srv/git/app.git', undefined],
  ['../app.git', undefined],
  ['file:///srv/git/app.git', undefined],
])('browsers find %s at %s', (remote, web) => expect(webAddress(remote)).toBe(web))
