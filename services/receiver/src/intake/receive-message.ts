import { type BlobStore, createSealer, type HashingThread, type SealedContainer } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import type { KeyRing } from '@indbakke/shared/keys';
import type { Log } from '@indbakke/shared/log';
import { type Queues, SUGGEST_CASE } from '@indbakke/shared/queue';
import type { Tally } from '@indbakke/shared/service';
import { CommitInDoubt, newId } from '@indbakke/shared/store';
import { currentTrace, noteInSpan, span } from '@indbakke/shared/tracing';
import type { ReceiverConfig } from '../config.js';
import type { Delivery, Quarantine } from '../quarantine/quarantine.js';
import type { ExternalId, NewMessage, ReadMessage } from './incoming-message.js';
import { asIntakeProblem } from './intake-problem.js';
import type { StoredMessage } from './known-ids.js';
import type { Stored, StoreMessage } from './store-messages.js';

export interface IntakeParts {
  readonly storeMessage: StoreMessage;
  readonly quarantine: Quarantine;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly hashingThread: HashingThread;
  readonly queues: Queues;
  readonly tally: Tally;
  readonly log: Log;
  readonly config: ReceiverConfig;
}

/** The outcome of a delivery and what its receipt says; a duplicate gets the receipt of the first delivery. */
export interface Intake extends Pick<StoredMessage, 'transmissionId' | 'receivedAt'> {
  readonly outcome: 'accepted' | 'held' | 'duplicate' | 'after-deletion' | 'answer-accepted';
  readonly externalId: ExternalId;
  readonly isTraining: boolean;
}

/**
 * Receives one message, for every channel: reads the delivery, seals its files on the fly, decides, and makes all of it
 * durable. When it resolves, the message is stored for good and the receipt may be given. When it rejects, nothing was kept,
 * unless COMMIT got no answer (CommitInDoubt): then the message may be stored, and the retry will find it. What cannot be read is
 * kept in quarantine, and gets a receipt only if an operator has decided so.
 *
 * @throws Problem for a refusal (INVALID, NOT_ALLOWED, too large); any other error means that the sender must retry
 */
export async function receiveMessage(
  parts: IntakeParts,
  { channel, origin, delivery }: Pick<NewMessage, 'channel' | 'origin'> & { readonly delivery: Delivery },
  read: ReadMessage,
): Promise<Intake> {
  const offeredAt = performance.now();
  const id = newId();
  const sealer = createSealer({
    blobs: parts.blobs,
    keys: parts.keys,
    messageId: id,
    smallBytes: parts.config.SMALL_CONTENT_BYTES,
    hashingThread: parts.hashingThread,
  });
  let readId: ExternalId | undefined;
  const onId = (externalId: ExternalId) => {
    readId = externalId;
  };
  try {
    const message = await span('read', () => read(sealer, onId)); // and seal, as it comes
    const { municipality, externalId, references } = message;
    const container = await span('seal', () => sealer.commit({ municipality }));
    const newMessage = {
      ...message,
      id,
      channel,
      offeredAt,
      origin,
      trace: currentTrace(),
      transmissionId: newId(),
      container,
    };
    const stored = await span('commit', () => parts.storeMessage(newMessage)).catch(async (error: unknown) => {
      // If the rows may have been written, the content must stay; if they were not, the sweep removes it.
      if (!(error instanceof CommitInDoubt)) await removeContent(parts, container);
      throw error;
    });
    announce('message-committed');
    const { isTraining } = stored;
    const outcome = outcomeOf(stored, id);
    noteInSpan({ messageId: stored.id, municipality, outcome });
    if (outcome === 'accepted' && references.length > 0) {
      parts.queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, run: 1 });
    }
    if (stored.id !== id) await removeContent(parts, container);
    if (!isTraining) tell(parts, outcome, stored, municipality);
    const storedId =
      stored.externalId === externalId.value ? externalId : { value: stored.externalId, isUnique: false };
    return {
      outcome,
      externalId: storedId,
      transmissionId: stored.transmissionId,
      receivedAt: stored.receivedAt,
      isTraining,
    };
  } catch (error) {
    const accepted = await parts.quarantine.keep(error, { ...delivery, origin }, { id, sealer });
    await sealer.abort(); // does nothing once the container is committed
    if (accepted) return { outcome: 'answer-accepted', isTraining: false, ...accepted };
    if (readId) countRefusal(parts, readId, error);
    throw error;
  } finally {
    await delivery.body.trail.drop();
  }
}

/** By the id, so that one that is refused again and again is found; what cannot be read is counted in quarantine. */
function countRefusal({ tally }: IntakeParts, { value }: ExternalId, error: unknown): void {
  const { code, isTraining } = asIntakeProblem(error);
  if (!isTraining) tally.refused(value, code);
}

/** What operators look for in the log. */
function tell({ log }: IntakeParts, outcome: Intake['outcome'], { id, heldCause }: Stored, municipality: string): void {
  if (outcome === 'after-deletion') log.warn('after-deletion', { messageId: id });
  if (outcome === 'held') log.info('held', { messageId: id, municipality, cause: heldCause ?? undefined });
}

/** Removes content that no row refers to. If that fails, the sweep finds it as an orphan. */
async function removeContent({ blobs, log }: IntakeParts, container: SealedContainer | undefined): Promise<void> {
  const place = container?.place;
  if (place && 'blobName' in place) await blobs.remove(place.blobName).catch(() => log.warn('orphan-left', {}));
}

function outcomeOf({ id, status }: StoredMessage, ownId: string): Intake['outcome'] {
  if (id !== ownId) return status === 'deleted' ? 'after-deletion' : 'duplicate';
  return status === 'held' ? 'held' : 'accepted';
}
