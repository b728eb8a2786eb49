import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const DOC = `/**
 * The plugin: call it in a shipitfile after shipit-deploy. It replaces \`deploy:update\` and adds the \`murder:\` tasks.
 *
 * Throws when it is not given Shipit, or before shipit-deploy is loaded.
 */`

/** shipit-deploy has no types, and a strict shipitfile.ts must import it. */
const SHIPIT_DEPLOY = `declare module 'shipit-deploy' {
  export default function deploy(shipit: object): void
}
`
const REFERENCE = '/// <reference path="./shipit-deploy.d.ts" />\n'

/**
 * The published declarations. They are self-contained: a user needs neither zod's types nor Node's.
 *
 * @param {string} root the repository
 * @returns {Promise<{ esm: string, cjs: string, deploy: string }>} the text of index.d.ts, of index.d.cts, which describes a
 *   module whose `require` is the function itself, and of shipit-deploy.d.ts
 */
export async function declarations(root) {
  const host = await readFile(join(root, 'src/shipit.ts'), 'utf8')
  const [, imports, types] = /^\/\*\*[\s\S]*?\*\/\n((?:import .*\n)*)([\s\S]*)$/.exec(host)
  if (!/^import type \{ MurderSettings \} from '[^']*'\n$/.test(imports)) {
    throw new Error('src/shipit.ts may import nothing but the type MurderSettings')
  }
  const all = `${await settingsInterface(root)}${types}`
  const inNamespace = all.trimEnd().replace(/^(?=.)/gm, '  ')
  return {
    deploy: SHIPIT_DEPLOY,
    esm: `${REFERENCE}${all}\n${DOC}\nexport default function murder(shipit: Shipit): void\n`,
    cjs: `${REFERENCE}${DOC}\ndeclare function murder(shipit: murder.Shipit): void

declare namespace murder {
${inNamespace}

  export { murder as default }
}

export = murder
`,
  }
}

/** The input type of the settings' schema, written out with the documentation of each setting. */
async function settingsInterface(root) {
  const { aliases, schema, settingInfos, shorthands, removed, z } = await load(root)
  const infos = new Map(settingInfos.map((info) => [info.key, info]))
  const json = z.toJSONSchema(schema, { io: 'input' })
  for (const { name, key } of aliases) {
    if (name === undefined) continue
    json.properties[name] = key.split('.').reduce(({ properties }, part) => properties[part], json)
    infos.set(name, infos.get(key))
  }
  for (const [group, inner] of Object.entries(shorthands)) {
    const { properties } = json
    properties[group] = { anyOf: [properties[group].properties[inner], properties[group]] }
  }
  return `/** What goes under the \`murder\` key of a shipitfile. Everything is optional. */
export interface MurderSettings ${typeText(json, '', infos)}

/** Removed settings: they do nothing. */
export interface MurderSettings {
${removed.map(({ name, now }) => `  /** @deprecated ${now} */\n  ${name}?: unknown`).join('\n')}
}
`
}

/** Settings and zod, from source. */
async function load(root) {
  const result = await build({
    absWorkingDir: root,
    stdin: {
      resolveDir: join(root, 'src/config'),
      contents: `export { schema, shorthands } from './schema.ts'; export { settingInfos } from './keys.ts'; export { REMOVED as removed } from './removed-settings.ts'; export { aliases } from './aliases.ts'; export { z } from 'zod'`,
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  })
  return import(
    `data:text/javascript;base64,${Buffer.from(result.outputFiles[0].contents).toString('base64')}`
  )
}

/** A JSON schema as a TypeScript type. `key` is the setting's, dotted. */
function typeText(schema, key, infos) {
  if (schema.anyOf) return schema.anyOf.map((option) => typeText(option, key, infos)).join(' | ')
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ')
  if (schema.prefixItems)
    return `[${schema.prefixItems.map((item) => typeText(item, key, infos)).join(', ')}]`
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeText({ type }, key, infos)).join(' | ')
  switch (schema.type) {
    case 'object':
      if (!schema.properties) return `Record<string, ${typeText(schema.additionalProperties, key, infos)}>`
      return objectText(schema, key, infos)
    case 'array': {
      const items = typeText(schema.items, key, infos)
      return items.includes(' | ') ? `(${items})[]` : `${items}[]`
    }
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
      return schema.type
    default:
      throw new Error(`setting ${key} has no known type: ${JSON.stringify(schema)}`)
  }
}

function objectText({ properties, required = [] }, key, infos) {
  const lines = Object.entries(properties).flatMap(([name, property]) => {
    const path = key ? `${key}.${name}` : name
    const type = typeText(property, path, infos).replaceAll('\n', '\n  ')
    return [...comment(infos.get(path)), `  ${name}${required.includes(name) ? '' : '?'}: ${type}`]
  })
  return `{\n${lines.join('\n')}\n}`
}

function comment(info) {
  if (!info) return []
  const { doc, default: value } = info
  const standard = value === undefined ? doc.unset : JSON.stringify(value)
  const lines = [doc.description, `Default: ${standard}. Allowed: ${doc.kind.allowed}.`]
  return ['  /**', ...lines.map((line) => `   * ${line.replaceAll('*/', '* /')}`), '   */']
}
