/** Keyed hash of a CPR or CVR number, to compare parties without storing their numbers. */
export const PARTY = 'party';
/** Keyed hash of a whole message, to recognise a duplicate. */
export const FINGERPRINT = 'fingerprint';
/** Keyed hash of a list’s sort and filters, to know the cursors of another list. */
export const LIST = 'list';
