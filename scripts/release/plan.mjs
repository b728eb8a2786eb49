// What a release may be: decisions only. scripts/release.mjs asks git and npm.

/** The version that `asked` (major, minor, patch or X.Y.Z) names after `current`. */
export function nextVersion(current, asked) {
  const [major, minor, patch] = numbers(current)
  const next = {
    major: `${major + 1}.0.0`,
    minor: `${major}.${minor + 1}.0`,
    patch: `${major}.${minor}.${patch + 1}`,
  }[asked]
  if (next) return next
  if (!/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(asked ?? '')) {
    throw new Error('Usage: npm run release -- patch|minor|major|X.Y.Z')
  }
  if (!isNewer(asked, current)) throw new Error(`${asked} is not newer than ${current}`)
  return asked
}

const numbers = (version) => version.split('.').map(Number)

function isNewer(version, than) {
  const [a, b] = [version, than].map(numbers)
  const at = a.findIndex((number, place) => number !== b[place])
  return at >= 0 && a[at] > b[at]
}

/** Why a checkout in this state cannot be released as `tag`, or undefined. */
export function refusal({ branch, changes, behind, tags }, tag) {
  if (branch !== 'main') return `this is ${branch || 'no branch'}: a release is made on main`
  if (changes) return `there is something uncommitted:\n${changes}`
  if (behind) return 'origin has commits that are not here: git pull first'
  if (tags.includes(tag)) return `the tag ${tag} is there already`
  return undefined
}
