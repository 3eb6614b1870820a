import { type BlobStore, type ContentConfig, openBesideContent, openBlobStore } from '@indbakke/shared/content';
import { type KeyRing, LEDGER } from '@indbakke/shared/keys';
import { openLine, readLines } from '@indbakke/shared/sealed-lines';
import { z } from 'zod';

/** What has become of a message that was received; each is one of these. */
export const FATES = {
  suggested: 'wait with a suggestion',
  pending: 'wait without one',
  held: 'are held',
  journalized: 'are journalized',
  'content-removed': 'are journalized, and retention removed the content',
  rejected: 'are rejected',
  'handed-over': 'were handed over to another municipality',
  deleted: 'are deleted',
} as const;
export type Fate = keyof typeof FATES;
export type Fates = Readonly<Record<Fate, number>>;

const place = {
  /** 1, 2, 3, … in the installation. */
  number: z.int().min(1),
  at: z.iso.datetime(),
};

/** The messages that a municipality received on a day, by Danish clocks. Its promise is that each of them stays, at least as a tombstone. */
const DayLine = z.strictObject({
  is: z.literal('day'),
  ...place,
  municipality: z.string(),
  day: z.iso.date(),
  received: z.int().min(0),
  /** When the line was made; they change afterwards. */
  fates: z.record(z.enum(Object.keys(FATES) as [Fate, ...Fate[]]), z.int().min(0)),
  /** The head of the change feed then. */
  eventPosition: z.int().min(0),
  /** Id and external id of each, in the order of the ids. */
  messages: z.array(z.tuple([z.uuid(), z.string()])),
});
export type DayLine = z.infer<typeof DayLine>;

/** The ledger is of this database from here on: its first line, and one after each restore. */
const DatabaseLine = z.strictObject({
  is: z.literal('database'),
  ...place,
  database: z.string(),
  /** Heads of the change feed by municipality, after a restore those that they were moved to. */
  heads: z.record(z.string(), z.int().min(0)),
});
export type DatabaseLine = z.infer<typeof DatabaseLine>;

const Line = z.discriminatedUnion('is', [DayLine, DatabaseLine]);
export type Line = z.infer<typeof Line>;
/** Before it has its number. */
export type Unnumbered = Omit<DayLine, 'number'> | Omit<DatabaseLine, 'number'>;

export interface LedgerConfig extends ContentConfig {
  readonly LEDGER_URL?: string | undefined;
}

/** At the end of BLOB_URL, where none is set. */
export const LEDGER_SUFFIX = '-ledger';

/** The folder of the ledger: the one that is set, or one beside the content. */
export async function openLedgerFolder(config: LedgerConfig): Promise<BlobStore> {
  const { LEDGER_URL: own } = config;
  return own ? openBlobStore(own, config) : openBesideContent(config, LEDGER_SUFFIX);
}

/** Where a line is in the chain: the number and hash of the one before it. */
export interface ChainEnd {
  readonly number: number;
  readonly seal: Buffer | null;
}
export const BEGINNING: ChainEnd = { number: 0, seal: null };

export interface Opened {
  readonly lines: readonly Line[];
  readonly end: ChainEnd;
  /** Those, from 1, that are not as they were written, or before which something has gone. */
  readonly forged: readonly number[];
}

/** The lines of a file. After one that is forged the chain goes on with what is there, so that one fault is told once. */
export function openLines(keys: KeyRing, texts: readonly string[], before: ChainEnd): Opened {
  const lines: Line[] = [];
  const forged: number[] = [];
  let end = before;
  for (const [at, text] of texts.entries()) {
    const opened = openLine(keys, LEDGER, text, end.seal);
    const line = opened && Line.parse(JSON.parse(opened.text));
    if (line && line.number === end.number + 1) lines.push(line);
    else forged.push(at + 1);
    end = { number: numberIn(text) ?? end.number + 1, seal: Buffer.from(text.slice(0, 64), 'hex') };
  }
  return { lines, end, forged };
}

/** The number that a line has, whether or not it is as it was written. */
export const numberIn = (text = '') => Number(/"number":(\d+)/.exec(text)?.[1]) || undefined;

/** A file of the ledger as it is stored. */
export interface LedgerFile {
  readonly name: string;
  readonly texts: readonly string[];
}

/** All files but those that `known` names, in the order of their lines. */
export async function readFiles(folder: BlobStore, known: ReadonlySet<string> = new Set()): Promise<LedgerFile[]> {
  const files: LedgerFile[] = [];
  const seen = new Set(known); // one that is being moved is listed twice
  for await (const { name, finished } of folder.list()) {
    if (!finished || seen.has(name)) continue;
    seen.add(name);
    files.push({ name, texts: await readLines(folder, name) });
  }
  const numberOf = ({ texts }: LedgerFile) => numberIn(texts[0]) ?? Number.POSITIVE_INFINITY;
  return files.toSorted((a, b) => numberOf(a) - numberOf(b));
}
