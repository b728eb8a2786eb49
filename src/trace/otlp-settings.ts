/** An exporter for traces, as OpenTelemetry's standard variables describe it. */
export interface OtlpSettings {
  url: URL
  headers: Record<string, string>
  timeoutMs: number
  gzip: boolean
  /** Paths of PEM files. */
  certificate?: string
  clientCertificate?: string
  clientKey?: string
  /** Attributes of the resource that made the trace. */
  resource: Record<string, string>
}

const TIMEOUT_MS = 10_000

/**
 * Undefined when no trace is wanted. For an unusable variable, throws an Error with one line that names the variable and never
 * its value. A variable for traces takes precedence over the one for all signals. Source:
 * opentelemetry.io/docs/specs/otel/protocol/exporter and configuration/sdk-environment-variables.
 */
export function otlpSettings(env: NodeJS.ProcessEnv): OtlpSettings | undefined {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return undefined
  const value = (name: string) =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`]
  const url = urlOf(env)
  if (!url) return undefined
  const protocol = value('PROTOCOL')
  if (protocol === 'grpc')
    throw new Error('OTEL_EXPORTER_OTLP_PROTOCOL is grpc: allowed: http/json, http/protobuf')
  const timeoutMs = Number(value('TIMEOUT') ?? TIMEOUT_MS)
  if (!(timeoutMs > 0)) throw new Error('OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds')
  const files = {
    certificate: 'CERTIFICATE',
    clientCertificate: 'CLIENT_CERTIFICATE',
    clientKey: 'CLIENT_KEY',
  }
  const named = Object.entries(files).flatMap(([name, variable]) => {
    const path = value(variable)
    return path === undefined ? [] : [[name, path] as const]
  })
  return {
    url,
    headers: pairs('OTEL_EXPORTER_OTLP_HEADERS', value('HEADERS')),
    timeoutMs,
    gzip: value('COMPRESSION') === 'gzip',
    ...Object.fromEntries(named),
    resource: {
      'service.name': env.OTEL_SERVICE_NAME || 'shipit-murder',
      ...pairs('OTEL_RESOURCE_ATTRIBUTES', env.OTEL_RESOURCE_ATTRIBUTES),
      ...(env.OTEL_SERVICE_NAME ? { 'service.name': env.OTEL_SERVICE_NAME } : {}),
    },
  }
}

function urlOf(env: NodeJS.ProcessEnv): URL | undefined {
  const [own, all] = [env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, env.OTEL_EXPORTER_OTLP_ENDPOINT]
  const name = own ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT'
  // The signal's path is added only to the general endpoint.
  const text = own || (all && `${all.replace(/\/+$/, '')}/v1/traces`)
  if (!text) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new Error(`${name} is no URL that begins with http:// or https://`)
}

/** `a=b,c=d%20e`, as in W3C Baggage. */
function pairs(name: string, text = ''): Record<string, string> {
  const given = text.split(',').filter((pair) => pair.trim() !== '')
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new Error(`${name} is not a list like key=value,key=value`)
      return [pair.slice(0, at).trim(), decoded(name, pair.slice(at + 1).trim())]
    }),
  )
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(`${name} has a "%" that is followed by no hexadecimal digits`)
  }
}
