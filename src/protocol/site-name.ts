/** Names of sites travel in short messages and stand in tables. */
export const isSiteName = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(text)

/** Why a text cannot be a site name. */
export const NO_SITE_NAME = "is not a name of at most 64 letters, digits, '.', '_' and '-'"
