/** Whether a text can be a tag: it names directories and processes. */
export const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$/.test(text)
