/** Extensions (BEP 10) by their names, and the ids that their messages to us shall have. */

/** By this one agents know each other. It has no messages. */
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

/** Where a neighbour is, and what it fetches from other sites (peers/site-exchange.ts). */
export const SITE_EXTENSION = 'murder_site'
export const SITE_EXTENSION_ID = 22

/** All that we know. A neighbour may offer others without end, and of those nothing is kept. */
export const KNOWN_EXTENSIONS = [
  AGENT_EXTENSION,
  PEX_EXTENSION,
  METADATA_EXTENSION,
  PROOF_EXTENSION,
  SUBFLOW_EXTENSION,
  SITE_EXTENSION,
]
