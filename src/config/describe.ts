import { table } from '../text/table.ts'
import { settingInfos, valueAt } from './keys.ts'
import type { Origins } from './load.ts'
import type { Settings } from './schema.ts'

/** The table of `murder:config`: every setting, its value in human units, and where it came from. */
export function describeSettings(settings: Settings, origins: Origins): string {
  const rows = settingInfos.map(({ key, path, doc }) => {
    const value = valueAt(settings, path)
    return [key, value === undefined ? (doc.unset ?? '') : doc.kind.show(value), origins[key]]
  })
  return table([['setting', 'value', 'from'], ...rows])
}
