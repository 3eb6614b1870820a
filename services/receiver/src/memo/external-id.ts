import { createHash } from 'node:crypto';
import { uuidOf } from '@indbakke/shared/ids';
import type { ExternalId } from '../intake/incoming-message.js';

/**
 * The messageUUID in its normal form, or a hash of it when it is not a UUID, since it may then be anything. UUIDs of any
 * version count: MeMo 1.2 allows version 4 only, and others get a remark.
 */
export function externalIdOf({ header }: { header: { messageUUID: string } }): ExternalId {
  const text = header.messageUUID.toLowerCase();
  const uuid = uuidOf(text);
  if (uuid === undefined) return { value: hashOf(text), isUnique: false };
  return { value: uuid, isUnique: true, ...(uuid !== text && { formerValue: hashOf(text) }) };
}

function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
