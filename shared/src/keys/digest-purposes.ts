/** Keyed hash of a CPR or CVR number, to compare people without keeping their numbers. */
export const PARTY = 'party';
/** Keyed hash of a whole message, to know it again. */
export const FINGERPRINT = 'fingerprint';
