/** Where the server of an HTTP URL listens: a host as sockets take it, and its port. */
export function endpointOf(url: string): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(url)
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  }
}
