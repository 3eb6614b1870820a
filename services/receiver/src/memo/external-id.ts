import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ExternalId } from '../intake/incoming-message.js';

/**
 * The messageUUID in lower case. Of one that is no UUID a hash, since it may be anything. Any version and variant will do:
 * MeMo 1.2 has version 4 only, and what is not gets a remark.
 */
export function externalIdOf({ header }: { header: { messageUUID: string } }): ExternalId {
  const written = header.messageUUID.toLowerCase();
  if (z.regexes.guid.test(written)) return { value: written, isUuid: true };
  return { value: `sha256:${createHash('sha256').update(written).digest('hex')}`, isUuid: false };
}
