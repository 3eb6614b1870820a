import { AUDIT_ANCHOR, type KeyRing } from '../keys/index.js';

/** Positions of audit rows of one municipality, without gaps, and the hash of the last. As pg reads them: positions as text. */
export interface PositionRange {
  readonly municipality: string;
  readonly first: string;
  readonly last: string;
  readonly lastHash: Buffer;
}

/** A range of rows that went with their month. */
export interface Anchor extends PositionRange {
  /** `2026-11`. */
  readonly month: string;
  /** Keyed hash of all the others. */
  readonly seal: Buffer;
}

/** Selects an {@link Anchor} from audit_anchors. */
export const ANCHOR_COLUMNS =
  'municipality, first_position AS first, last_position AS last, last_hash AS "lastHash", month, seal';

/** The anchor of a range: where the chain goes on after it. */
export function anchorOf(keys: KeyRing, range: PositionRange, month: string): Anchor {
  return { ...range, month, seal: sealOf(keys, { ...range, month }) };
}

/** Whether it was made with this key, and is unchanged. */
export function isAuthentic(keys: KeyRing, { seal, ...anchor }: Anchor): boolean {
  return seal.equals(sealOf(keys, anchor));
}

function sealOf(keys: KeyRing, { municipality, first, last, lastHash, month }: Omit<Anchor, 'seal'>): Buffer {
  return keys.digest(AUDIT_ANCHOR, JSON.stringify([municipality, first, last, lastHash.toString('hex'), month]));
}
