/**
 * The normal forms of ids, in which they are compared. People and systems write one number in many ways; what they wrote is
 * kept for display.
 */

/** Spaces of any width and all hyphens, with which people group digits. */
const GAPS = /[\s\p{Pd}]/gu;

/** A CPR number as ten digits, however grouped: `410101-9999`. Undefined when it is not one. */
export function cprNumberOf(text: string): string | undefined {
  return /^(?:CPR(?:nr\.?)?:?)?(\d{10})$/i.exec(text.replace(GAPS, ''))?.[1];
}

/** A CVR number as eight digits: `22 22 22 22`, `DK-22222222`, `CVR: 22222222`. Undefined when it is not one. */
export function cvrNumberOf(text: string): string | undefined {
  return /^(?:CVR(?:nr\.?)?:?)?(?:DK)?(\d{8})$/i.exec(text.replace(GAPS, ''))?.[1];
}

const CVR_WEIGHTS = [2, 7, 6, 5, 4, 3, 2, 1];

/** Whether a CVR number can be given to anybody: the sum of its weighted digits is a multiple of 11. */
export function isPossibleCvr(cvr: string): boolean {
  return CVR_WEIGHTS.reduce((sum, weight, at) => sum + weight * Number(cvr[at]), 0) % 11 === 0;
}

/** The number of a person or an organisation. Undefined when it is neither. */
export function numberOf(text: string): string | undefined {
  return cprNumberOf(text) ?? cvrNumberOf(text);
}

/** The number of a person or an organisation; anything else as written. Equal for equal parties. */
export function partyIdOf(text: string): string {
  return numberOf(text) ?? text;
}

// RFC 9562, 4: hexadecimal digits of either case; any version. RFC 9562, 4: urn:uuid. Guid.ToString: N, D, B and P.
const UUID =
  /^(?:urn:)?(?:uuid:)?([{(]?)([0-9a-f]{8})(-?)([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{12})([)}]?)$/i;
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '': '' };

/** A UUID in lower case with hyphens: of `{…}`, `(…)`, `urn:uuid:…`, without hyphens. Undefined when it is not one. */
export function uuidOf(text: string): string | undefined {
  const [, open = '', a, , b, c, d, e, close] = UUID.exec(text.trim()) ?? [];
  if (a === undefined || CLOSING[open] !== close) return undefined;
  return [a, b, c, d, e].join('-').toLowerCase();
}

/** The id of a contact point: in practice a UUID; any other text in lower case. */
export function contactPointIdOf(text: string): string {
  return uuidOf(text) ?? text.trim().toLowerCase();
}

/** The id of an org unit: in practice a UUID; any other text in lower case. */
export const orgUnitOf = contactPointIdOf;

/** The id of an IT system: in practice a UUID; any other text in lower case. */
export const itSystemOf = contactPointIdOf;
