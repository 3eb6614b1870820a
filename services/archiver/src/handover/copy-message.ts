import { citizensOf, INDBAKKE } from '@indbakke/shared/audit';
import { DAY, SECOND } from '@indbakke/shared/config';
import { createSealer, HashingThread, type SealedContainer, type SealedFile } from '@indbakke/shared/content';
import { copyFiles, openContent, requestScan, SEALED, SEALED_TABLES, type SealedRow } from '@indbakke/shared/inbox';
import { RECORD_CHANGES } from '@indbakke/shared/lifecycle';
import { SUGGESTION_OVERDUE_SECONDS } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { currentTrace } from '@indbakke/shared/tracing';

const { sql } = Prisma;

/** A row as JSON: bytes as `\x…`, times as texts. */
type Json = Readonly<Record<string, unknown>>;

/** All rows of a message but those of its history. */
export interface Original extends SealedRow {
  readonly message: Json;
  readonly details: Json;
  readonly words: Json;
  readonly parties: readonly Json[];
  readonly documents: readonly Json[];
  readonly files: readonly Json[];
  readonly references: readonly Json[];
}

/** Reads a pending message, in the transaction of its own municipality. @returns undefined when it is handled */
export async function readOriginal(
  { store }: Pick<Parts, 'store'>,
  municipality: string,
  id: string,
): Promise<Original | undefined> {
  const rowsOf = (table: string) =>
    sql`(SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM ${Prisma.raw(table)} t WHERE t.message_id = m.id)`;
  const [original] = await store.query<Original & Record<string, unknown>>(
    municipality,
    sql`
      SELECT ${SEALED}, to_jsonb(m) AS message, to_jsonb(d) AS details, to_jsonb(w) AS words, ${rowsOf('message_parties')} AS parties,
        ${rowsOf('documents')} AS documents, ${rowsOf('files')} AS files, ${rowsOf('reply_references')} AS references
      FROM messages m JOIN message_details d ON d.message_id = m.id JOIN message_words w ON w.message_id = m.id ${SEALED_TABLES}
      WHERE m.id = ${id}::uuid AND m.municipality = ${municipality} AND m.status = 'pending'`,
    'kept',
  );
  return original;
}

/** The content of a message, sealed anew under another key. */
export interface CopiedContent {
  readonly container: SealedContainer | undefined;
  /** By their index, as they were. */
  readonly files: ReadonlyMap<number, SealedFile>;
}

let hashingThread: HashingThread | undefined;

/**
 * Seals the files of a message for another one, a segment at a time. When it resolves, the container is durable under its name, if
 * it is not small.
 *
 * @throws Problem content-gone, content-damaged, or what the store throws; then nothing is left
 */
export async function copyContent(
  parts: Pick<Parts, 'blobs' | 'keys'>,
  original: Original,
  copy: { readonly id: string; readonly municipality: string },
  smallBytes: number,
): Promise<CopiedContent> {
  const stored = original.files
    .filter(({ status }) => status === 'stored')
    .map((file) => ({
      status: 'stored' as const,
      containerIndex: Number(file.container_index),
      containerOffset: Number(file.container_offset),
      size: Number(file.size),
      sha256: String(file.sha256).slice(2), // after \x
    }));
  if (stored.length === 0) return { container: undefined, files: new Map() };
  const content = await openContent(parts, original);
  hashingThread ??= new HashingThread();
  const sealer = createSealer({ ...parts, hashingThread, messageId: copy.id, smallBytes });
  try {
    await copyFiles(content, stored, sealer);
    const container = await sealer.commit(copy);
    return { container, files: new Map(sealer.files.map((file) => [file.index, file])) };
  } catch (error) {
    await sealer.abort();
    throw error;
  }
}

/** What is another one's of the copy. */
export interface Copy {
  readonly id: string;
  readonly municipality: string;
  /** That it was offered for. */
  readonly caseId: string;
  readonly at: Date;
  readonly takenBy: { readonly kind: string; readonly id: string; readonly onBehalfOf?: string | undefined };
  readonly role: string | undefined;
  readonly origin: string | undefined;
  readonly details: Readonly<Record<string, string>>;
  readonly content: CopiedContent;
}

/** Inserts all rows of the copy, in the transaction of the municipality that takes it. */
export async function insertCopy(
  connection: Connection,
  { keys }: Pick<Parts, 'keys'>,
  original: Original,
  copy: Copy,
): Promise<void> {
  const { id, municipality, at, content } = copy;
  const own = { message_id: id, municipality };
  const place = content.container?.place;
  const insert = (table: string, rows: readonly Json[]) =>
    run(
      connection,
      sql`INSERT INTO ${Prisma.raw(table)} SELECT * FROM jsonb_populate_recordset(NULL::${Prisma.raw(table)}, ${JSON.stringify(rows)}::jsonb)`,
    );
  await insert('messages', [await messageOf(connection, original, copy)]);
  const times = { status: 'pending', received_at: at };
  await insert('message_details', [{ ...original.details, ...own }]);
  await insert('message_words', [{ ...original.words, ...own, ...times }]);
  await insert(
    'message_parties',
    original.parties.map((party) => ({ ...party, ...own, ...times })),
  );
  await insert(
    'documents',
    original.documents.map((document) => ({ ...document, ...own })),
  );
  await insert(
    'files',
    original.files.map((file) => {
      const sealed = content.files.get(Number(file.container_index));
      const isStored = file.status === 'stored' && sealed;
      return { ...file, ...own, id: newId(), ...(isStored && { container_offset: sealed.offset }) };
    }),
  );
  await insert(
    'reply_references',
    referencesOf(original, copy).map((reference) => ({ ...reference, ...own })),
  );
  if (content.container && place) {
    const { keyId, wrapped } = content.container.wrappedKey;
    await run(
      connection,
      sql`INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key) VALUES (${id}::uuid, ${municipality}, ${keyId}, ${wrapped})`,
    );
    if ('bytes' in place)
      await run(
        connection,
        sql`INSERT INTO message_contents (message_id, municipality, container) VALUES (${id}::uuid, ${municipality}, ${place.bytes})`,
      );
  }
  const { sender_id: sender, concerning_id: concerning } = original.details as Record<string, string | undefined>;
  const citizens = citizensOf(keys, [sender, concerning ?? undefined]);
  await run(
    connection,
    sql`INSERT INTO message_subjects (municipality, kind, key, message_id)
      SELECT ${municipality}, 'citizen', citizen, ${id}::uuid FROM unnest(${citizens}::text[]) AS citizen ORDER BY citizen`,
  );
  // What the scan found goes with a file; what is still to be scanned is scanned in the copy.
  if (original.files.some(({ scan }) => scan === 'waiting' || scan === 'let-pass')) await requestScan(connection, copy);
  await recordTaking(connection, copy);
}

/**
 * By what the copy finds its case: the letters that it answers, and the case that it was offered for, by its id here. That of the
 * other municipality may be another family’s here; and with none the copy of a restricted case would be for all to read.
 */
function referencesOf({ references }: Original, { caseId }: Copy): Json[] {
  const letters = references.filter(({ kind }) => kind !== 'case-id');
  const position = Math.max(-1, ...letters.map((letter) => Number(letter.position))) + 1;
  return [...letters, { position, kind: 'case-id', value: caseId }];
}

/** The row of the copy: what the message says is as it was; what was decided about it is not, but for the marks of a concern. */
async function messageOf(
  connection: Connection,
  { message }: Original,
  { id, municipality, at, takenBy, content }: Copy,
): Promise<Json> {
  const [settings] = await run<{ lateAfterDays: number }>(
    connection,
    sql`SELECT late_after_days AS "lateAfterDays" FROM municipalities WHERE cvr = ${municipality}`,
  );
  const place = content.container?.place;
  const ageDays = (at.getTime() - Date.parse(String(message.letter_at))) / DAY;
  return {
    ...message,
    id,
    municipality,
    contact_point_id: null, // it was sent to one of the other municipality
    received_at: at,
    late: ageDays > (settings?.lateAfterDays ?? Number.POSITIVE_INFINITY),
    transmission_id: newId(), // nothing is answered with it
    blob_name: place && 'blobName' in place ? place.blobName : null,
    status_at: at,
    status_by: takenBy.id,
    version: 1,
    legal_hold: false,
    first_read_at: null,
    concern_marked_by: message.concern_marked_at === null ? null : INDBAKKE.id,
    assignee_kind: null,
    assignee_id: null,
    suggested_case_id: null,
    suggestion_basis: null,
    suggestion_sender: null,
    suggestion_party: null,
    suggestion_warning: null,
    suggestion_run_at: null,
    suggestion_run: 1,
    next_enqueue_at: new Date(at.getTime() + SUGGESTION_OVERDUE_SECONDS * SECOND),
  };
}

function recordTaking(
  connection: Connection,
  { id, municipality, at, takenBy, role, origin, details }: Copy,
): Promise<unknown> {
  return run(
    connection,
    sql`
      WITH changes AS (
        SELECT ${newId()}::uuid AS change_id, ${municipality}::text AS municipality, ${id}::uuid AS message_id, 'taken-over'::text AS type,
          'pending'::text AS status, 1 AS version, ${at}::timestamptz AS at, ${takenBy.kind}::text AS actor_kind, ${takenBy.id}::text AS actor,
          ${takenBy.onBehalfOf ?? null}::text AS on_behalf_of, ${role ?? null}::text AS role, ${origin ?? null}::text AS origin,
          ${JSON.stringify(details)}::jsonb AS details, ${currentTrace() ?? null}::text AS trace
      ), ${Prisma.raw(RECORD_CHANGES)}
      SELECT 1`,
  );
}
