import { INSTALLATION } from '@indbakke/shared/audit';
import { KiB } from '@indbakke/shared/config';
import type { Sealer } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import { type ErrorCode, Problem } from '@indbakke/shared/errors';
import { uuidOf } from '@indbakke/shared/ids';
import { openAnyway, openContent, sealContent } from '@indbakke/shared/inbox';
import { QUARANTINE } from '@indbakke/shared/keys';
import { describeError } from '@indbakke/shared/log';
import type { Parts } from '@indbakke/shared/service';
import { CommitInDoubt, newId } from '@indbakke/shared/store';
import type { ReceiverConfig } from '../config.js';
import type { DeliveryBody } from '../delivery/read-body.js';
import type { ExternalId } from '../intake/incoming-message.js';
import { BodyHash } from './body-hash.js';
import { createQuarantineMetrics, type Kept } from './metrics.js';
import { type Endpoint, type Entry, type Recorded, recordEntry } from './record-entry.js';

/** A delivery, by the endpoint that takes it. */
export interface Delivery {
  readonly endpoint: Endpoint;
  readonly body: DeliveryBody;
  /** Of the form that it is. */
  readonly boundary?: string | undefined;
}

/** The container that the files of a delivery were being sealed in. */
interface Sealing {
  readonly id: string;
  readonly sealer: Sealer;
}

/** What the receipt says of bytes that an operator has accepted. */
export interface AcceptedAnswer {
  readonly externalId: ExternalId;
  readonly transmissionId: string;
  readonly receivedAt: Date;
}

export interface Quarantine {
  /**
   * Keeps a delivery that could not be read, as it came, to its end. Never fails: the delivery is refused, whether it could be
   * kept or not.
   *
   * @param sealing is committed and removed; what is in it is needed to have the bytes again
   * @returns the answer, if an operator has accepted these bytes
   */
  keep(
    error: unknown,
    delivery: Delivery & { readonly origin: string | undefined },
    sealing: Sealing,
  ): Promise<AcceptedAnswer | undefined>;
}

/** What nobody can read. Others are read, and are not for us; or are not whole. */
const UNREADABLE: readonly ErrorCode[] = [
  'not-xml',
  'not-multipart',
  'not-utf8',
  'forbidden-xml',
  'not-memo',
  'not-sf2900',
  'no-message-uuid',
  'content-not-base64',
  'skeleton-too-large',
  'unsupported-media-type', // of the part of a form
];

type QuarantineParts = Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'metrics'>;

export function createQuarantine(parts: QuarantineParts, config: ReceiverConfig): Quarantine {
  const { log } = parts;
  const metrics = createQuarantineMetrics(parts, config.QUARANTINE_LOOP_AFTER);
  const count = (outcome: Kept) => metrics.deliveries.inc({ outcome });
  return {
    async keep(error, delivery, sealing) {
      if (!isUnreadable(error) || config.QUARANTINE_MAX_ENTRIES === 0) return undefined;
      try {
        const recorded = await keep(parts, config, error, delivery, sealing);
        const { entry, isNew } = recorded;
        if (entry?.status === 'answer-accepted') {
          count('answer-accepted');
          return answerOf(entry);
        }
        count(isNew ? (recorded.isStored ? 'kept' : 'over-quota') : 'again');
        if (isNew && !recorded.isStored) log.error('quarantine-full', { reason: error.code });
        if (entry && isStepOfLoop(recorded, config.QUARANTINE_LOOP_AFTER)) {
          metrics.loops.inc();
          const { refusedOfId } = recorded;
          log.error('quarantine-loop', { entryId: entry.id, reason: error.code, count: entry.count, refusedOfId });
        }
      } catch (failure) {
        if (failure instanceof Problem && failure.row.fault === 'peer') {
          count('incomplete');
          log.info('quarantine-missed', describeError(failure));
        } else {
          count('failed');
          log.error('quarantine-failed', describeError(failure));
        }
      }
      return undefined;
    },
  };
}

function isUnreadable(error: unknown): error is Problem {
  return error instanceof Problem && UNREADABLE.includes(error.code);
}

async function keep(
  parts: QuarantineParts,
  config: ReceiverConfig,
  { code: reason, path }: Problem,
  { endpoint, body, boundary, origin = '' }: Parameters<Quarantine['keep']>[1],
  sealing: Sealing,
): Promise<Recorded> {
  const { store, blobs, keys } = parts;
  const hash = new BodyHash(boundary);
  let head = Buffer.alloc(0);

  async function* content(): AsyncGenerator<Buffer> {
    for await (const bytes of bytesOf(parts, body, sealing)) {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES - head.length)]);
      hash.update(bytes);
      yield bytes;
    }
  }

  const row = { id: newId(), municipality: INSTALLATION };
  const sealed = await sealContent({ blobs, keys }, row, content(), config.SMALL_CONTENT_BYTES);
  announce('quarantine-sealed');
  let isNeeded = false;
  try {
    const contentHash = keys.digest(QUARANTINE, hash.digest());
    const messageUuid = messageUuidIn(head);
    const given = { ...sealed, ...row, contentHash, reason, path, endpoint, caller: origin, messageUuid };
    const quota = { maxBytes: config.QUARANTINE_MAX_BYTES, maxEntries: config.QUARANTINE_MAX_ENTRIES };
    const recorded = await recordEntry(store, given, quota);
    announce('quarantine-committed');
    isNeeded = recorded.isStored;
    return recorded;
  } catch (error) {
    isNeeded = error instanceof CommitInDoubt; // if no row has it, the sweep removes it
    throw error;
  } finally {
    if (!isNeeded && 'blobName' in sealed.place) await blobs.remove(sealed.place.blobName);
  }
}

/** The bytes of the body as they came, and then as they come. */
async function* bytesOf(
  { blobs, keys }: QuarantineParts,
  { trail, rest }: DeliveryBody,
  { id, sealer }: Sealing,
): AsyncGenerator<Buffer> {
  const container = await sealer.commit({ municipality: INSTALLATION });
  try {
    yield* trail.bytes(async function* (index) {
      const file = sealer.files.find((each) => each.index === index);
      if (!file || !container) throw new Error('The container lacks a file that the trail has.');
      const { place, wrappedKey } = container;
      const sealedRow = {
        id,
        municipality: INSTALLATION,
        keyId: wrappedKey.keyId,
        wrappedKey: wrappedKey.wrapped,
        blobName: 'blobName' in place ? place.blobName : null,
        container: 'bytes' in place ? place.bytes : null,
      };
      const { offset: containerOffset, size } = file;
      const reader = await openContent({ blobs, keys }, sealedRow);
      yield* reader.open(
        openAnyway({ status: 'stored', containerIndex: index, containerOffset, size } as const, 'made'),
      );
    });
  } finally {
    if (container && 'blobName' in container.place) await blobs.remove(container.place.blobName);
  }
  yield* rest();
}

// The id stands in the header of a message, perhaps in a form or an envelope.
const HEAD_BYTES = 64 * KiB;

/** Also of a message that cannot be read to its end. Only a UUID, since anything else may be personal. */
function messageUuidIn(head: Buffer): string | undefined {
  const [, id = ''] = /messageUUID\s*>\s*([0-9a-f{}-]{32,38})\s*</i.exec(head.toString('latin1')) ?? [];
  return uuidOf(id);
}

/** At so many refusals, at twice as many, and so on. */
function isStepOfLoop({ entry, refusedOfId }: Recorded, loopAfter: number): boolean {
  const isStep = (count: number) => count >= loopAfter && Number.isInteger(Math.log2(count / loopAfter));
  return isStep(entry?.count ?? 0) || isStep(refusedOfId);
}

function answerOf({ acceptedAt, transmissionId, messageUuid }: Entry): AcceptedAnswer {
  const externalId = messageUuid === null ? { value: '', isUnique: false } : { value: messageUuid, isUnique: true };
  return { externalId, transmissionId, receivedAt: acceptedAt as Date };
}
