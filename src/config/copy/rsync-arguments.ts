import { type ModeChange, parseModeChanges } from '../../package/pack/chmod.ts'
import { type FilterOption, isEmptyRule } from '../../package/pack/rsync-filter.ts'
import { found } from '../problems.ts'

/** How options of rsync change the copied files. */
export interface RsyncArguments {
  filter: FilterOption[]
  /** Symlinks are replaced by the files that they point to. */
  copyLinks: boolean
  /** When false, new files get the modes that a program would give them. */
  keepsModes: boolean
  modeChanges: ModeChange[]
  /** Which files that the source lacks are deleted: none, those that no pattern excludes, or all. */
  deletes: 'none' | 'others' | 'all'
}

const words = (text: string) => text.trim().split(/\s+/)

/** Options that change no file of a new release. Shipit's own options for the connection override them. */
const harmless = new Set([
  ...words(
    'recursive links times owner group devices specials numeric-ids no-owner no-group no-o no-g D o g r l t',
  ),
  ...words(
    'compress no-compress no-z z verbose v quiet q progress partial P stats human-readable h itemize-changes i',
  ),
  ...words(
    'checksum c whole-file no-whole-file W no-W ignore-times I inplace fuzzy y delay-updates sparse S force',
  ),
  'ignore-errors',
  ...words('protect-args secluded-args s old-args 8-bit-output 8 mkpath no-motd blocking-io'),
])

const deleting = new Set(words('delete del delete-before delete-during delete-after delete-delay'))

/** Such options that have a value. */
const harmlessValues = new Set([
  ...words('rsh e compress-level zl compress-choice zc skip-compress checksum-choice cc block-size B'),
  ...words('info debug out-format log-file log-file-format outbuf timeout contimeout'),
])

/** Options that are refused together with their values, in one line. */
const refusedValues = new Set(
  words(
    'filter f exclude-from include-from files-from bwlimit rsync-path max-size min-size link-dest temp-dir T',
  ),
)

const cures: Record<string, string> = {
  bwlimit: 'murder.uploadLimit',
  'rsync-path': 'asUser',
  'exclude-from': '--exclude for each pattern',
  'include-from': '--include for each pattern',
}

const ALLOWED =
  '--exclude, --include, --copy-links, --perms, --no-perms, --chmod, and what changes no file (see docs/tasks.md)'

/** Reads arguments of rsync. Gives one complete line for each argument that would change the release in an unsupported way. */
export function readRsyncArguments(
  args: readonly string[],
  name: string,
): { options: RsyncArguments; problems: string[] } {
  const options: RsyncArguments = {
    filter: [],
    copyLinks: false,
    keepsModes: true,
    modeChanges: [],
    deletes: 'none',
  }
  const problems: string[] = []
  const left = [...args]
  const refuse = (what: string, may = ALLOWED) => void problems.push(`${name} has ${what}: allowed: ${may}`)

  const take = (flag: string, shown: string, value: () => string | undefined) => {
    if (harmless.has(flag)) return
    if (harmlessValues.has(flag)) return void value()
    if (deleting.has(flag)) options.deletes = options.deletes === 'all' ? 'all' : 'others'
    else if (flag === 'delete-excluded') options.deletes = 'all'
    else if (flag === 'copy-links' || flag === 'L') options.copyLinks = true
    else if (['archive', 'a', 'perms', 'p'].includes(flag)) options.keepsModes = true
    else if (flag === 'no-perms' || flag === 'no-p') options.keepsModes = false
    else if (flag === 'exclude' || flag === 'include') {
      const pattern = value()
      if (pattern === undefined || isEmptyRule(pattern)) return refuse(shown, 'a pattern after it')
      options.filter.push({ kind: flag, pattern })
    } else if (flag === 'chmod') {
      const text = value() ?? ''
      const changes = parseModeChanges(text, process.umask())
      if (!changes) return refuse(`--chmod=${found(text)}`, 'modes such as D755,F644 or u=rwX,go=rX')
      options.modeChanges.push(...changes)
    } else {
      if (refusedValues.has(flag)) value()
      refuse(shown, cures[flag])
    }
  }

  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    const [, long, text] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? []
    if (long !== undefined) {
      take(long, `--${long}`, () => text ?? left.shift())
    } else if (/^-[^-]/.test(arg)) {
      for (let letters = arg.slice(1); letters !== ''; ) {
        const letter = letters[0] as string
        letters = letters.slice(1)
        take(letter, `-${letter}`, () => {
          const rest = letters
          letters = ''
          return rest === '' ? left.shift() : rest
        })
      }
    } else refuse(found(arg))
  }
  return { options, problems }
}
