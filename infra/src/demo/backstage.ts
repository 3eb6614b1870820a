import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runSql } from '../testkit/database.js';

/** What the API does not show: rows and files. */
export class Backstage {
  readonly #ownerUrl: string;
  readonly #contentFolder: string;

  constructor(ownerUrl: string, contentFolder: string) {
    this.#ownerUrl = ownerUrl;
    this.#contentFolder = contentFolder;
  }

  /** @returns whether the sealed content of the message still exists, on disk or in the database */
  async watchContent(messageId: string): Promise<() => Promise<boolean>> {
    const query = 'SELECT blob_name FROM messages WHERE id = $1';
    const [row] = await runSql<{ blob_name: string | null }>(this.#ownerUrl, query, [messageId]);
    const name = row?.blob_name;
    if (name) return async () => existsSync(join(this.#contentFolder, name.slice(0, 2), name));
    return async () =>
      (await runSql(this.#ownerUrl, 'SELECT FROM message_contents WHERE message_id = $1', [messageId])).length > 0;
  }

  /** The status of a message, even a deleted one. */
  async statusOf(transmissionId: string): Promise<string> {
    const query = 'SELECT status FROM messages WHERE transmission_id = $1';
    const [row] = await runSql<{ status: string }>(this.#ownerUrl, query, [transmissionId]);
    return row?.status ?? 'no row';
  }

  /** The tables, including queues, with a row that contains any of these texts, as text or bytes. */
  async tablesHolding(texts: readonly string[]): Promise<string[]> {
    const tables = await runSql<{ name: string }>(
      this.#ownerUrl,
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    const patterns = texts.flatMap((text) => [text, Buffer.from(text).toString('hex')]).map((text) => `%${text}%`);
    const holding: string[] = [];
    for (const { name } of tables) {
      const found = await runSql(this.#ownerUrl, `SELECT FROM ${name} AS r WHERE r::text LIKE ANY ($1) LIMIT 1`, [
        patterns,
      ]);
      if (found.length > 0) holding.push(name);
    }
    return holding;
  }
}
