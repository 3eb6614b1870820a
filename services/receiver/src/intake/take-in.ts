import {
  type BlobStore,
  createSealer,
  type HashingThread,
  type KeyRing,
  type SealedContainer,
  type SealedFile,
  type Sealer,
} from '@indbakke/shared/content';
import type { Source } from '@indbakke/shared/flow';
import type { Channel } from '@indbakke/shared/lifecycle';
import type { Log } from '@indbakke/shared/log';
import {
  type Memo,
  parseSkeleton,
  plausibleLetterDate,
  type Remark,
  readMemo,
  type SplitResult,
  split,
  type XmlElement,
} from '@indbakke/shared/memo';
import type { SuggestCaseEnqueuer } from '@indbakke/shared/queue';
import { announce } from '@indbakke/shared/steps';
import { CommitInDoubt, newId } from '@indbakke/shared/store';
import type { ReceiverConfig } from '../config.js';
import { addressee } from './decide.js';
import { type ExternalId, externalIdOf } from './external-id.js';
import { fingerprintOf } from './fingerprint.js';
import type { StoredMessage } from './known-ids.js';
import type { Receipt } from './receipt.js';
import { kindOf, referencesOf } from './references.js';
import type { StoreMessage } from './store-messages.js';

export interface IntakeParts {
  readonly storeMessage: StoreMessage;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly hashingThread: HashingThread;
  readonly enqueuer: SuggestCaseEnqueuer;
  readonly log: Log;
  readonly config: ReceiverConfig;
}

export interface Delivery {
  readonly channel: Channel;
  readonly body: Source;
  /** Finds the message in what stood around the contents; the mouths differ in what they wrap it in. */
  readonly findMessage: (root: XmlElement, split: SplitResult) => XmlElement | Promise<XmlElement>;
}

export interface Intake {
  readonly receipt: Receipt;
  readonly outcome: 'accepted' | 'held' | 'duplicate' | 'after-deletion';
}

/**
 * The one way in. Reads the delivery as a stream, seals its files as they flow, decides, and makes all of it durable. When
 * it resolves, the message is in the inbox (or held) for good and the receipt may be given; when it rejects, nothing was
 * kept, unless no answer came to COMMIT (CommitInDoubt): then it may be here, and the next try finds it.
 *
 * @throws Problem: a refusal (INVALID, NOT_ALLOWED, too large); else the error of the part that failed: to be sent again
 */
export async function takeIn(parts: IntakeParts, delivery: Delivery): Promise<Intake> {
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
    const { memo, remarks, files, original, fingerprint } = await readDelivery(parts, delivery, sealer);
    const municipality = addressee(memo);
    const externalId = externalIdOf(memo);
    const references = referencesOf(memo, municipality, parts.config.OWN_SYSTEM_ID);
    const container = await sealer.commit({ municipality });
    const stored = await parts
      .storeMessage({
        id,
        municipality,
        channel: delivery.channel,
        externalId,
        fingerprint,
        kind: kindOf(memo, municipality),
        receivedAt,
        letterAt: plausibleLetterDate(memo, receivedAt),
        transmissionId: newId(),
        memo,
        original,
        remarks,
        references,
        files,
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
      parts.enqueuer.enqueue({ messageId: id, municipality, round: 1 });
    }
    if (stored.id !== id) await removeContent(parts, container);
    if (outcome === 'after-deletion') parts.log.warn('after-deletion', { messageId: stored.id });
    return { receipt: receiptOf(externalId, stored), outcome };
  } catch (error) {
    await sealer.abort(); // does nothing once the container is committed
    throw error;
  }
}

interface ReadDelivery {
  readonly memo: Memo;
  readonly remarks: readonly Remark[];
  readonly files: readonly SealedFile[];
  readonly original: Buffer;
  readonly fingerprint: Buffer;
}

async function readDelivery({ config, keys }: IntakeParts, delivery: Delivery, sealer: Sealer): Promise<ReadDelivery> {
  const files: SealedFile[] = [];
  const result = await split(
    delivery.body,
    (index) => {
      const file = sealer.openFile(index);
      return {
        write: (bytes) => file.write(bytes),
        async end() {
          files.push(await file.end());
        },
      };
    },
    {
      maxBytes: config.MAX_MESSAGE_BYTES,
      maxSkeletonBytes: config.MAX_SKELETON_BYTES,
      maxFiles: config.MAX_FILES,
      maxDepth: config.MAX_DEPTH,
    },
  );
  const message = await delivery.findMessage(parseSkeleton(result.skeleton), result);
  return {
    ...readMemo(message, files, result.token),
    files,
    original: originalOf(result),
    fingerprint: fingerprintOf(keys, message, files, result.token),
  };
}

/** The message alone: the headers of an envelope may hold what the caller signs in with. */
function originalOf({ skeleton, message }: SplitResult): Buffer {
  return message ? skeleton.subarray(message.start, message.end) : skeleton;
}

/** Removes content that no row will name. What is left over here is an orphan for the sweep. */
async function removeContent({ blobs, log }: IntakeParts, container: SealedContainer | undefined): Promise<void> {
  const place = container?.place;
  if (place && 'blobName' in place) await blobs.remove(place.blobName).catch(() => log.warn('orphan-left', {}));
}

function receiptOf({ value, isUuid }: ExternalId, { transmissionId, receivedAt }: StoredMessage): Receipt {
  return {
    transmissionId,
    ...(isUuid && { messageUUID: value }),
    receiptStatus: 'COMPLETED',
    timeStamp: receivedAt,
  };
}

function outcomeOf({ id, status }: StoredMessage, ownId: string): Intake['outcome'] {
  if (id !== ownId) return status === 'deleted' ? 'after-deletion' : 'duplicate';
  return status === 'held' ? 'held' : 'accepted';
}
