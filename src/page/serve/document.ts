import { createHash } from 'node:crypto'
import type { Picture } from '../model/picture.ts'

const ICON = 'data:,'

/** What the page is about: a deploy, or a swarm as its tracker sees it. */
export type PageKind = 'deploy' | 'swarm'

const TITLES: Record<PageKind, string> = { deploy: 'Deploy', swarm: 'Swarm' }

const start = (kind: PageKind, head: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${TITLES[kind]}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON}">
${head}
<body>
<main id="page" data-kind="${kind}"><noscript>This page is drawn by its script, which is switched off.</noscript></main>
`

/** The live page: all else comes from below `path`. */
export const liveDocument = (path: string, kind: PageKind): string =>
  `${start(
    kind,
    `<link rel="stylesheet" href="${path}/page.css">
<script src="${path}/page.js" type="module"></script>`,
  )}</html>
`

/** A picture as one file that loads nothing else. A browser runs only its own script and style there. */
export function frozenDocument(
  picture: Picture,
  { script, style }: { script: string; style: string },
): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `${start(
    'deploy',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">
<style>${style}</style>`,
  )}<script id="picture" type="application/json">${inScript(JSON.stringify(picture))}</script>
<script type="module">${script}</script>
</html>
`
}

const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`

/** JSON in which nothing ends the script that it is in, or begins a comment there. */
const inScript = (json: string) => json.replaceAll('<', '\\u003c')
