import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';

/** An event as a consumer of the feed or the receiver of a webhook has it. */
export interface Got {
  readonly municipality: string;
  readonly position: number;
  readonly id: string;
  readonly messageId: string;
  readonly version: number;
  readonly status: string;
}

/** What the receiver of a webhook was sent. */
export interface Received extends Got {
  /** The id in the header, which is signed too. */
  readonly webhookId: string;
  readonly isSigned: boolean;
}

/** Adds lines of JSON to a file in one write: who is killed then has saved all of them, or some and a part of one. */
export function save(file: string, items: readonly object[]): void {
  if (items.length > 0) appendFileSync(file, items.map((item) => `${JSON.stringify(item)}\n`).join(''));
}

/** What was saved whole. */
export function saved<Item>(file: string): Item[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Item);
}

/** Removes the part of a line that somebody left who was killed. */
export function mend(file: string): void {
  if (!existsSync(file)) return;
  const bytes = readFileSync(file);
  truncateSync(file, bytes.lastIndexOf('\n') + 1);
}
