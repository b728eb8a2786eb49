/** Whether a text can be a tag: tags name directories and processes. */
export const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$/.test(text)

/** Why a text cannot be a tag. */
export const NO_TAG = "is not a name of letters, digits, '.', '_' and '-'"
