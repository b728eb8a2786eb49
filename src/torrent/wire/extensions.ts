/** Peer exchange (BEP 11), under its usual name. */
export const PEX_EXTENSION = 'ut_pex'

export const PEX_EXTENSION_ID = 2
