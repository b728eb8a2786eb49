// The changelog's part of a release (https://keepachangelog.com/en/1.1.0/).

const UNRELEASED = /^## \[Unreleased\]\n([\s\S]*?)(?=^## |^\[[^\]]+\]: |(?![\s\S]))/m
const LINK = /^\[([^\]]+)\]: .*\n?/gm

/**
 * The changelog with what is under [Unreleased] moved under a heading of its own. `web` is the repository's address for
 * browsers, if it has one, and `since` the tag of the release before, if there is one: the links are made of them.
 */
export function released(changelog, { version, date, web, since }) {
  const [section, notes = ''] = UNRELEASED.exec(changelog) ?? []
  if (section === undefined) throw new Error('CHANGELOG.md has no heading "## [Unreleased]"')
  if (changelog.includes(`\n## [${version}]`)) throw new Error(`CHANGELOG.md has ${version} already`)
  if (!/^(?!#)\S/m.test(notes)) {
    throw new Error('CHANGELOG.md has nothing under [Unreleased]: write there what changes for users')
  }
  const text = changelog.replace(
    UNRELEASED,
    () => `## [Unreleased]\n\n## [${version}] - ${date}\n\n${notes.trim()}\n\n`,
  )
  return web ? linked(text, links({ version, web, since })) : `${text.trimEnd()}\n`
}

function links({ version, web, since }) {
  return [
    ['unreleased', `${web}/compare/v${version}...HEAD`],
    [version, since ? `${web}/compare/${since}...v${version}` : `${web}/releases/tag/v${version}`],
  ]
}

/** The text with these links first at its end, and those of earlier releases after them. */
function linked(text, added) {
  const earlier = [...text.matchAll(LINK)].filter(([, name]) => name.toLowerCase() !== 'unreleased')
  const lines = [
    ...added.map(([name, target]) => `[${name}]: ${target}`),
    ...earlier.map(([line]) => line.trim()),
  ]
  return `${text.replace(LINK, '').trimEnd()}\n\n${lines.join('\n')}\n`
}

/** Where browsers find the repository of a git remote; undefined for a path. A password in it is left out. */
export function webAddress(remote) {
  const address = remote.replace(/^(?:[^@/:]+@)?([^/:]+):(?!\/\/)/, 'ssh://$1/')
  if (!/^(https?|ssh):/.test(address)) return undefined
  const { protocol, host, hostname, pathname } = new URL(address)
  return `https://${protocol === 'ssh:' ? hostname : host}${pathname.replace(/(\.git)?\/*$/, '')}`
}
