import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The published declarations, self-contained (a user needs neither zod's types nor Node's).
 *
 * @returns {Promise<{ esm: string, cjs: string }>} the text of index.d.ts and index.d.cts; the second describes a
 *   module whose `require` is the function itself
 */
export async function declarations(root) {
  const host = await readFile(join(root, 'src/shipit.ts'), 'utf8')
  const settings = 'export interface Settings { [key: string]: unknown }\n'
  const types = `${settings}\n${host.replace(/^import type .*\n/gm, '').replace(/^\/\*\*[\s\S]*?\*\/\n/, '')}`
  const doc =
    '/** The plugin: call it in a shipitfile after shipit-deploy. Throws when it is called without or before that. */'
  const indented = types.replace(/^(?=.)/gm, '  ')
  return {
    esm: `${types}\n${doc}\nexport default function murder(shipit: Shipit): void\n`,
    cjs: `${doc}\ndeclare function murder(shipit: murder.Shipit): void\n\ndeclare namespace murder {\n${indented}\n  export { murder as default }\n}\n\nexport = murder\n`,
  }
}
