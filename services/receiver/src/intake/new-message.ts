import type { SealedContainer, SealedFile } from '@indbakke/shared/content';
import type { Channel, Kind } from '@indbakke/shared/lifecycle';
import type { Memo, Remark } from '@indbakke/shared/memo';
import type { ExternalId } from './external-id.js';
import type { Reference } from './references.js';

/** A message that has been read and sealed, ready for its rows. */
export interface NewMessage {
  readonly id: string;
  readonly municipality: string;
  readonly channel: Channel;
  readonly externalId: ExternalId;
  readonly fingerprint: Buffer;
  readonly kind: Kind;
  readonly receivedAt: Date;
  readonly letterAt: Date;
  readonly transmissionId: string;
  readonly memo: Memo;
  /** The XML as it came, with a token in the place of each content. */
  readonly original: Buffer;
  readonly remarks: readonly Remark[];
  readonly references: readonly Reference[];
  readonly files: readonly SealedFile[];
  readonly container: SealedContainer | undefined;
}
