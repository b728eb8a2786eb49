import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
// @ts-expect-error plain JavaScript, because it runs before anything is compiled
import { sbom } from '../../../scripts/build/sbom.mjs'

test('names all bundled packages, with version, licence and hash', async () => {
  const path = 'node_modules/bencode/index.js'
  const metafile = {
    outputs: { agent: { inputs: { [path]: { bytesInOutput: 1 }, 'src/a.ts': { bytesInOutput: 1 } } } },
  }
  const { components, bomFormat } = JSON.parse(await sbom(process.cwd(), metafile))
  const { version } = JSON.parse(await readFile('node_modules/bencode/package.json', 'utf8'))
  expect(bomFormat).toBe('CycloneDX')
  expect(components).toMatchObject([
    { name: 'bencode', version, purl: `pkg:npm/bencode@${version}`, hashes: [{ alg: 'SHA-512' }] },
  ])
  expect(components[0].hashes[0].content).toMatch(/^[0-9a-f]{128}$/)
})
