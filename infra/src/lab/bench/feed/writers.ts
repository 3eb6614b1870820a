import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { newId, type Store } from '@indbakke/shared/store';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';

const CONCURRENCY = 4;

const INSERT = `
  WITH event AS (
    INSERT INTO events (id, municipality, message_id, type, status, version, at)
    VALUES ($1, $2, $3, 'assigned', 'pending', 1, $4))
  INSERT INTO audit_events (id, municipality, message_id, action, at, actor_kind, actor, details)
  VALUES ($1, $2, $3, 'assigned', $4, 'user', 'bench', '{}')`;

/** Commits changes as services do, each in a transaction of its own with its audit row, and notes when COMMIT was answered. */
export class Writers {
  readonly #store: Store;
  /** By message. */
  readonly committed = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** As many as there can be. */
  async writeFor(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1_000;
    const writer = async () => {
      while (performance.now() < end) await this.write();
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, writer));
  }

  /** One after the other, at a rate. */
  async writeAtRate(perSecond: number, seconds: number): Promise<void> {
    const began = performance.now();
    for (let n = 0; n < perSecond * seconds; n += 1) {
      await pause(Math.max(0, began + (n * 1_000) / perSecond - performance.now()));
      await this.write();
    }
  }

  async write(messageId: string = randomUUID()): Promise<void> {
    const { cvr } = EXAMPLE_MUNICIPALITY;
    await this.#store.withTenantConnection(cvr, (connection) =>
      connection.query({ name: 'change', text: INSERT, values: [newId(), cvr, messageId, new Date()] }),
    );
    this.committed.set(messageId, performance.now());
  }
}
