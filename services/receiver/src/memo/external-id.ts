import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ExternalId } from '../intake/incoming-message.js';

/**
 * The messageUUID in lower case, or a hash of it when it is not a UUID, since it may then be anything. UUIDs of any version
 * count: MeMo 1.2 allows version 4 only, and others get a remark.
 */
export function externalIdOf({ header }: { header: { messageUUID: string } }): ExternalId {
  const uuid = header.messageUUID.toLowerCase();
  if (z.regexes.guid.test(uuid)) return { value: uuid, isUuid: true };
  return { value: `sha256:${createHash('sha256').update(uuid).digest('hex')}`, isUuid: false };
}
