/** Keyed hash of a CPR or CVR number, to compare parties without storing their numbers. */
export const PARTY = 'party';
/** Keyed hash of a whole message, to recognise a duplicate. */
export const FINGERPRINT = 'fingerprint';
