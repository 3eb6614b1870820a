import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runSql } from '../testkit/database.js';

/** A look at what no call of the API shows: rows and files as they lie. */
export class Backstage {
  readonly #ownerUrl: string;
  readonly #contentFolder: string;

  constructor(ownerUrl: string, contentFolder: string) {
    this.#ownerUrl = ownerUrl;
    this.#contentFolder = contentFolder;
  }

  /** Whether the sealed content of a message that has one is still there, on the disk or beside its rows. */
  async watchContent(messageId: string): Promise<() => Promise<boolean>> {
    const query = 'SELECT blob_name FROM messages WHERE id = $1';
    const [row] = await runSql<{ blob_name: string | null }>(this.#ownerUrl, query, [messageId]);
    const name = row?.blob_name;
    if (name) return async () => existsSync(join(this.#contentFolder, name.slice(0, 2), name));
    return async () =>
      (await runSql(this.#ownerUrl, 'SELECT FROM message_contents WHERE message_id = $1', [messageId])).length > 0;
  }

  /** What is left of a deleted message: its status is all that the demo asks for. */
  async statusOf(transmissionId: string): Promise<string> {
    const query = 'SELECT status FROM messages WHERE transmission_id = $1';
    const [row] = await runSql<{ status: string }>(this.#ownerUrl, query, [transmissionId]);
    return row?.status ?? 'no row';
  }

  /** The tables, queues included, with a row that holds any of these texts, as text or as bytes. */
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
