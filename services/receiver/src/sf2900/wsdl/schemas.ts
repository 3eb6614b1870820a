import { AUTHORITY_CONTEXT, CALL_CONTEXT, TYPES_2, TYPES_3 } from './namespaces.js';
import { TYPES_2_SCHEMA } from './types-2.js';
import { AUTHORITY_CONTEXT_SCHEMA, CALL_CONTEXT_SCHEMA, TYPES_3_SCHEMA } from './types-3.js';

/** Our XML schemas of SF2900 by their namespaces. */
export const DISTRIBUTION_SCHEMAS: Readonly<Record<string, string>> = {
  [CALL_CONTEXT]: CALL_CONTEXT_SCHEMA,
  [AUTHORITY_CONTEXT]: AUTHORITY_CONTEXT_SCHEMA,
  [TYPES_2]: TYPES_2_SCHEMA,
  [TYPES_3]: TYPES_3_SCHEMA,
};
