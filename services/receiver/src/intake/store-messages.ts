import { createBatcher } from '@indbakke/shared/batch';
import { Problem } from '@indbakke/shared/errors';
import { TRANSITIONS } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { isStoreUnavailable, waitForStandbys } from '@indbakke/shared/store';
import type { ReceiverConfig } from '../config.js';
import { decide } from './decide.js';
import { FairShare } from './fair-share.js';
import type { NewMessage } from './incoming-message.js';
import { insertMessages } from './insert-messages.js';
import { idOf, lockIds, readKnownIds, type StoredMessage } from './known-ids.js';
import { loadMunicipality } from './municipality.js';

/**
 * Writes all rows of a message, or finds that it is known already. When it resolves, the rows are durable.
 *
 * @throws Problem not-our-recipient for an unknown municipality, not-taken-here or not-yet by its settings, send-again when very many
 *   of it wait; CommitInDoubt when the rows may have been written; any other error means that none were
 */
export type StoreMessage = (message: NewMessage) => Promise<Stored>;

export interface Stored extends StoredMessage {
  /** Of a municipality to practise in: it is counted nowhere. */
  readonly isTraining: boolean;
}

// Measured with 64 clients: 890 receipts/s with two concurrent transactions, 760 with one, 790 with three.
const CONCURRENT_BATCHES = 2;
// A batch holds its messages in memory twice, small contents included: 64 typical ones are a few MiB.
const MAX_BATCH = 64;

/** Messages of one municipality that arrive together share a transaction, and so its round trips and its sync. */
export function createStoreMessage(
  { store, keys, scanning }: Pick<Parts, 'store' | 'keys' | 'scanning'>,
  { MAX_UPLOADS }: Pick<ReceiverConfig, 'MAX_UPLOADS'>,
): StoreMessage {
  const share = new FairShare(MAX_UPLOADS);
  const batcher = createBatcher<NewMessage, Stored | Problem>({
    keyOf: ({ municipality }) => municipality,
    // Two messages with one id must see each other, which takes two transactions.
    conflictOf: idOf,
    maxBatch: MAX_BATCH,
    concurrency: CONCURRENT_BATCHES,
    async run(municipality, messages) {
      const stored = await storeMessages({ store, keys, scanning }, municipality, messages);
      share.stored(municipality, performance.now());
      return stored;
    },
    // A Problem here is about the municipality, so about the whole batch.
    isSharedFault: (error) => error instanceof Problem || isStoreUnavailable(error),
  });
  return async (message) => {
    await share.turn(message.municipality);
    const stored = await batcher.add(message);
    if (stored instanceof Problem) throw stored;
    return stored;
  };
}

async function storeMessages(
  { store, keys, scanning }: Pick<Parts, 'store' | 'keys' | 'scanning'>,
  municipality: string,
  messages: readonly NewMessage[],
): Promise<(Stored | Problem)[]> {
  return store.withTenantConnection(municipality, async (connection) => {
    // As late as possible: a message appears when the transaction ends, and who asks by time must not have gone on by then.
    const receivedAt = await lockIds(connection, municipality, messages);
    const clock = performance.now();
    const contactPointIds = messages.flatMap(({ contactPointId }) => contactPointId ?? []);
    const settings = await loadMunicipality(connection, municipality, [...new Set(contactPointIds)]);
    const known = await readKnownIds(connection, municipality, messages);
    const decisions = messages.map((message) =>
      decide(message, known.get(message.id), settings, { receivedAt, clock }),
    );
    await insertMessages(
      { connection, keys, scanning },
      municipality,
      decisions.filter((decision) => decision.is === 'new'),
    );
    if (decisions.some(({ is }) => is === 'known')) await waitForStandbys(connection);
    const isTraining = settings?.isTraining ?? false;
    return decisions.map((decision) => {
      if (decision.is === 'known') return { ...decision.earlier, isTraining };
      if (decision.is === 'refused') return decision.problem;
      const { change, heldCause, message } = decision;
      const { id, externalId, transmissionId } = message;
      return {
        id,
        status: TRANSITIONS[change].to,
        externalId: externalId.value,
        transmissionId,
        receivedAt,
        heldCause,
        isTraining,
      };
    });
  });
}
