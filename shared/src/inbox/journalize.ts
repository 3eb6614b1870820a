import type { z } from 'zod';
import type { ChangeAnswer, JournalizationBody, TakeBackBody } from '../api/index.js';
import { insertCaseSubjects, lockCases } from '../audit/index.js';
import { type ErrorCode, Problem } from '../errors/index.js';
import { type ChangeRequest, FILE_FETCH, lockTold } from '../lifecycle/index.js';
import { type Connection, Prisma, run, type Store } from '../store/index.js';
import { type ChangeEffects, changeMessage } from './change-message.js';
import { fileHeld, hasFile, isAnyHeld, type Scanning, WHOLE } from './may-open.js';
import { contentRemoved } from './read-content.js';

const { sql } = Prisma;

type Journalization = z.infer<typeof JournalizationBody>;

/**
 * Confirms that the core has the content on these cases.
 *
 * @param allowsUnknown whether a case may be one that the core has not registered
 * @throws Problem unknown-case, case-not-open, file-on-its-way, file-held, or bad-request for `fileIds` that are not one a document of this message
 */
export function journalize(
  { store, scanning }: { readonly store: Store; readonly scanning: Scanning },
  request: ChangeRequest,
  body: Journalization,
  allowsUnknown: boolean,
): Promise<ChangeAnswer> {
  const { id: messageId, principal, at } = request;
  const { municipality, actor } = principal;
  const { caseIds, casesAreOpen = false, fileIds = [] } = body;
  // In whatever order, it is the same change.
  const [cases, files] = [inOrder(caseIds), inOrder(fileIds)];
  const reference = body.reference ?? null;
  return changeMessage(store, request, 'journalized', async (connection) => ({
    details: {
      caseIds: cases.join(' '),
      ...(casesAreOpen && { casesAreOpen }),
      ...(files.length > 0 && { fileIds: files.join(' ') }),
    },
    isPossible: filesAreHere(scanning, await isAnyHeld(connection, scanning, messageId)),
    async isRepeat() {
      const rows = await run<{ caseId: string; reference: string | null }>(
        connection,
        sql`SELECT case_id AS "caseId", reference FROM journalizations WHERE message_id = ${messageId}::uuid`,
      );
      return (
        rows.length === cases.length && rows.every((row) => cases.includes(row.caseId) && row.reference === reference)
      );
    },
    async write() {
      await run(connection, lockCases(municipality, cases, 'shared'));
      if (casesAreOpen) await openCases(connection, municipality, cases);
      await checkCases(connection, municipality, caseIds, allowsUnknown);
      await checkFiles(connection, messageId, fileIds);
      await run(
        connection,
        sql`
          INSERT INTO journalizations (message_id, case_id, municipality, reference, file_ids, at, by)
          SELECT ${messageId}::uuid, case_id, ${municipality}, ${reference}, ${files}::uuid[], ${at}::timestamptz, ${actor.id}
          FROM unnest(${cases}::text[]) AS case_id`,
      );
      const filed = sql`SELECT ${messageId}::uuid, case_id FROM unnest(${cases}::text[]) AS case_id`;
      await run(connection, insertCaseSubjects(municipality, filed));
    },
  }));
}

/**
 * That the core could fetch every file that it may have. Unsafe ones it may not, and the message is filed without them.
 *
 * @param isHeld what is told of two reasons
 */
function filesAreHere(scanning: Scanning, isHeld: boolean): NonNullable<ChangeEffects['isPossible']> {
  return {
    condition: sql`${FILE_FETCH} IS DISTINCT FROM 'waiting' AND NOT ${hasFile(scanning, WHOLE, 'held')}`,
    otherwise: (allowed) =>
      isHeld
        ? fileHeld()
        : new Problem(
            'file-on-its-way',
            `The file of the document is on its way, so the core cannot have it. Wait until it is here or given up; ${allowed}`,
          ),
  };
}

function inOrder(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort();
}

async function openCases(connection: Connection, municipality: string, caseIds: string[]): Promise<void> {
  await run(
    connection,
    sql`UPDATE cases SET status = 'open', moved_to = NULL
      WHERE municipality = ${municipality} AND case_id = ANY (${caseIds}::text[]) AND status IN ('closed', 'moved')`,
  );
}

/** A case that only a sent message has named is registered too, and counts as open. */
async function checkCases(
  connection: Connection,
  municipality: string,
  caseIds: string[],
  allowsUnknown: boolean,
): Promise<void> {
  const rows = await run<{ caseId: string; status: string | null }>(
    connection,
    sql`
      SELECT case_id AS "caseId", status FROM cases
      WHERE municipality = ${municipality} AND case_id = ANY (${caseIds}::text[])`,
  );
  const statuses = new Map(rows.map(({ caseId, status }) => [caseId, status ?? 'open']));
  const placesOf = (...refused: (string | undefined)[]) =>
    caseIds.flatMap((id, at) => (refused.includes(statuses.get(id)) ? [`body.caseIds.${at}`] : []));
  const unknown = allowsUnknown ? [] : placesOf(undefined);
  if (unknown.length > 0) {
    throw ofCases('unknown-case', unknown, 'not registered', 'Register it with PUT /api/v1/cases/{caseId} first.');
  }
  const shut = placesOf('closed', 'moved');
  if (shut.length > 0) {
    const todo = 'Name another, or send casesAreOpen: true when the core has opened it.';
    throw ofCases('case-not-open', shut, 'closed or moved', todo);
  }
}

function ofCases(code: ErrorCode, places: readonly string[], what: string, todo: string): Problem {
  const path = places[0] as string;
  const more = places.length > 1 ? ` (and ${places.length - 1} more)` : '';
  return new Problem(code, `The core has ${what} the case at ${path}${more}. ${todo}`, { path });
}

async function checkFiles(connection: Connection, messageId: string, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length === 0) return;
  const rows = await run<{ id: string; document: number }>(
    connection,
    sql`SELECT id, document_position AS document FROM files WHERE message_id = ${messageId}::uuid`,
  );
  const documentOf = new Map(rows.map(({ id, document }) => [id, document]));
  const fileOf = new Map<number, string>();
  for (const [at, id] of fileIds.entries()) {
    const path = `body.fileIds.${at}`;
    const document = documentOf.get(id);
    if (document === undefined) throw new Problem('bad-request', `${path}: is no file of this message.`, { path });
    if ((fileOf.get(document) ?? id) !== id) {
      throw new Problem('bad-request', `${path}: is of the same document as another.`, { path });
    }
    fileOf.set(document, id);
  }
}

/**
 * Undoes a journalization: the message is pending again, and on no case. Its history says so when the sender of a document has
 * been told that it was journalized, or may have been.
 *
 * @throws Problem content-gone when retention has removed what the inbox would show of it
 */
export function takeBack(
  store: Store,
  request: ChangeRequest,
  { reason }: z.infer<typeof TakeBackBody>,
): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'taken-back', async (connection) => {
    const isTold = (await lockTold(connection, request)).has('ACCEPTERET');
    return {
      details: { reason },
      ...(isTold && { ownDetails: { receiptSent: true } }),
      isPossible: {
        condition: sql`m.content_removed_at IS NULL`,
        otherwise: () => contentRemoved('It cannot go back to the inbox.'),
      },
      write: () => run(connection, sql`DELETE FROM journalizations WHERE message_id = ${request.id}::uuid`),
    };
  });
}
