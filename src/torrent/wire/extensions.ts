/** Extensions (BEP 10) by their names, and the ids of their messages to us. */

/** Agents recognize each other by this one. It has no messages. */
export const AGENT_EXTENSION = 'murder'
export const AGENT_EXTENSION_ID = 1
/** Peer exchange (BEP 11), under its usual name. */
export const PEX_EXTENSION = 'ut_pex'
export const PEX_EXTENSION_ID = 2
/** The torrent's info dictionary (BEP 9), under its usual name. */
export const METADATA_EXTENSION = 'ut_metadata'
export const METADATA_EXTENSION_ID = 3
/** Its one message is the proof that the sender knows the swarm's key. */
export const PROOF_EXTENSION = 'murder_proof'
export const PROOF_EXTENSION_ID = 20
/** Its one message says how many connections the sender would like to have with us: one byte. */
export const SUBFLOW_EXTENSION = 'murder_subflows'
export const SUBFLOW_EXTENSION_ID = 21

/** The pieces that a neighbour fetches from other sites (peers/site-exchange.ts). */
export const SITE_EXTENSION = 'murder_site'
export const SITE_EXTENSION_ID = 22

/** All extensions that we know. Others that a neighbour offers are ignored, because there could be any number. */
export const KNOWN_EXTENSIONS = [
  AGENT_EXTENSION,
  PEX_EXTENSION,
  METADATA_EXTENSION,
  PROOF_EXTENSION,
  SUBFLOW_EXTENSION,
  SITE_EXTENSION,
]
