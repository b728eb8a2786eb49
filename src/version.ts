/** Filled in by the build from package.json. */
declare const MURDER_VERSION: string | undefined

export const version = typeof MURDER_VERSION === 'string' ? MURDER_VERSION : '0.0.0-source'
