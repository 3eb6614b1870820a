import { type BlobStore, createSealer, type HashingThread, type SealedContainer } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import type { KeyRing } from '@indbakke/shared/keys';
import type { Channel } from '@indbakke/shared/lifecycle';
import type { Log } from '@indbakke/shared/log';
import { type Queues, SUGGEST_CASE } from '@indbakke/shared/queue';
import { CommitInDoubt, newId } from '@indbakke/shared/store';
import type { ReceiverConfig } from '../config.js';
import { plausibleDate } from './decide.js';
import type { ExternalId, ReadMessage } from './incoming-message.js';
import type { StoredMessage } from './known-ids.js';
import type { StoreMessage } from './store-messages.js';

export interface IntakeParts {
  readonly storeMessage: StoreMessage;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly hashingThread: HashingThread;
  readonly queues: Queues;
  readonly log: Log;
  readonly config: ReceiverConfig;
}

/** What became of a delivery, with all that its receipt says: of the same message again, what the first one said. */
export interface Intake extends Pick<StoredMessage, 'transmissionId' | 'receivedAt'> {
  readonly outcome: 'accepted' | 'held' | 'duplicate' | 'after-deletion';
  readonly externalId: ExternalId;
}

/**
 * The one way in, for every channel. Has the delivery read, seals its files as they flow, decides, and makes all of it
 * durable. When it resolves, the message is in the inbox (or held) for good and the receipt may be given; when it rejects,
 * nothing was kept, unless no answer came to COMMIT (CommitInDoubt): then it may be here, and the next try finds it.
 *
 * @throws Problem: a refusal (INVALID, NOT_ALLOWED, too large); else the error of the part that failed: to be sent again
 */
export async function takeIn(parts: IntakeParts, channel: Channel, read: ReadMessage): Promise<Intake> {
  const receivedAt = new Date();
  const id = newId();
  const sealer = createSealer({
    blobs: parts.blobs,
    keys: parts.keys,
    messageId: id,
    smallBytes: parts.config.SMALL_CONTENT_BYTES,
    hashingThread: parts.hashingThread,
  });
  try {
    const message = await read(sealer);
    const { municipality, externalId, references } = message;
    const container = await sealer.commit({ municipality });
    const stored = await parts
      .storeMessage({
        ...message,
        id,
        channel,
        receivedAt,
        letterAt: plausibleDate(message.letterAt, receivedAt),
        transmissionId: newId(),
        container,
      })
      .catch(async (error: unknown) => {
        // Where the rows may stand, so must the content; what no row names is left to the sweep of orphans then.
        if (!(error instanceof CommitInDoubt)) await removeContent(parts, container);
        throw error;
      });
    announce('message-committed');
    const outcome = outcomeOf(stored, id);
    if (outcome === 'accepted' && references.length > 0) {
      parts.queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, round: 1 });
    }
    if (stored.id !== id) await removeContent(parts, container);
    if (outcome === 'after-deletion') parts.log.warn('after-deletion', { messageId: stored.id });
    return { outcome, externalId, transmissionId: stored.transmissionId, receivedAt: stored.receivedAt };
  } catch (error) {
    await sealer.abort(); // does nothing once the container is committed
    throw error;
  }
}

/** Removes content that no row will name. What is left over here is an orphan for the sweep. */
async function removeContent({ blobs, log }: IntakeParts, container: SealedContainer | undefined): Promise<void> {
  const place = container?.place;
  if (place && 'blobName' in place) await blobs.remove(place.blobName).catch(() => log.warn('orphan-left', {}));
}

function outcomeOf({ id, status }: StoredMessage, ownId: string): Intake['outcome'] {
  if (id !== ownId) return status === 'deleted' ? 'after-deletion' : 'duplicate';
  return status === 'held' ? 'held' : 'accepted';
}
