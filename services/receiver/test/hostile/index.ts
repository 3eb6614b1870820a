import { ENVELOPES, FORMS, HEADERS } from './endpoints.js';
import type { HostileList } from './hostile.js';
import { FILE_NAMES } from './names.js';
import { PEERS } from './peers.js';
import { BASE64, ENCODINGS, ENTITIES, MARKS, NAMESPACES, SIZES } from './xml.js';

/** All hostile files and peers, by fault. (../bad has files with one plain fault each.) */
export const HOSTILE: HostileList = {
  ...ENTITIES,
  ...SIZES,
  ...NAMESPACES,
  ...ENCODINGS,
  ...MARKS,
  ...BASE64,
  ...FILE_NAMES,
  ...HEADERS,
  ...FORMS,
  ...ENVELOPES,
  ...PEERS,
};
