import type { ServerResponse } from 'node:http'

/** Corrects the tracker module's answer before it is sent. `change` gets its bytes, which may also be a web page. */
export function amend(response: ServerResponse, change: (body: Uint8Array) => Uint8Array): void {
  const end = response.end.bind(response) as (body?: unknown) => ServerResponse
  response.end = ((body?: unknown) =>
    end(body instanceof Uint8Array ? change(body) : body)) as ServerResponse['end']
}
