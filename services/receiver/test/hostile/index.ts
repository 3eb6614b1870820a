import { ENVELOPES, FORMS, HEADERS } from './endpoints.js';
import type { HostileList } from './hostile.js';
import { FILE_NAMES } from './names.js';
import { PEERS } from './peers.js';
import { BASE64, ENCODINGS, ENTITIES, MARKS, NAMESPACES, SIZES } from './xml.js';

/** Everything hostile, by its fault, with the answer it must get. (Files with one plain fault each stand in ../bad.) */
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
