import { createHash } from 'node:crypto';

// Any version and variant: MeMo 1.2 has version 4 only, which is a remark when it is not.
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface ExternalId {
  /** What the message is known by: its messageUUID in lower case. Of one that is no UUID, a hash: it may be anything. */
  readonly value: string;
  readonly isUuid: boolean;
}

export function externalIdOf({ header }: { header: { messageUUID: string } }): ExternalId {
  const written = header.messageUUID.toLowerCase();
  if (UUID.test(written)) return { value: written, isUuid: true };
  return { value: `sha256:${createHash('sha256').update(written).digest('hex')}`, isUuid: false };
}
