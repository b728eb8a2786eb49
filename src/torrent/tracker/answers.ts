import type { ServerResponse } from 'node:http'

/** Puts the tracker module's answer right before it leaves. `change` gets its bytes, which may also be a page. */
export function amend(response: ServerResponse, change: (body: Uint8Array) => Uint8Array): void {
  const end = response.end.bind(response) as (body?: unknown) => ServerResponse
  response.end = ((body?: unknown) =>
    end(body instanceof Uint8Array ? change(body) : body)) as ServerResponse['end']
}
