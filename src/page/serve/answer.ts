import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pageScriptFile, pageStyleFile } from '../../page-file.ts'
import { liveDocument, type PageKind } from './document.ts'
import { type PagePart, pageHeaders, partOf } from './guard.ts'

export interface ServedPage {
  kind: PageKind
  /** Of the document; its parts are below it. */
  path: string
  /** Hosts by which people may come; the loopback interface's unless told otherwise. */
  isOwnHost?(host: string): boolean
  /** Takes a browser that looks on. */
  watch(request: IncomingMessage, response: ServerResponse): void
}

/** Shown to people who are refused, where there is something that they can do. */
const REFUSALS: Partial<Record<number, string>> = {
  403: 'Come by an address of this machine or by its own name: any other name in the link could be a trap.\n',
}

/** Answers a request to a page, or refuses it. At once, so that nobody else does it meanwhile. */
export function answerPage(page: ServedPage, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request
  const part = partOf({ method, url, host: headers.host }, page.path, page.isOwnHost)
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value)
  if (typeof part === 'number') {
    if (part === 405) response.setHeader('Allow', 'GET')
    response.writeHead(part, { 'Content-Type': 'text/plain' }).end(REFUSALS[part])
  } else if (part === 'events') page.watch(request, response)
  else send(page, part, response)
}

function send({ kind, path }: ServedPage, part: Exclude<PagePart, 'events'>, response: ServerResponse): void {
  const type = { document: 'html', script: 'javascript', style: 'css' }[part]
  try {
    const content =
      part === 'document'
        ? liveDocument(path, kind)
        : readFileSync(part === 'script' ? pageScriptFile : pageStyleFile)
    response.writeHead(200, { 'Content-Type': `text/${type}; charset=utf-8` }).end(content)
  } catch {
    response.writeHead(500).end()
  }
}
