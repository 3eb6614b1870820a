import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { z } from 'zod';
import { ODENSKOV, type TestStack, type TokenOptions, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { createMakePackageHandler } from '../../../services/archiver/src/access-packages/make-package.js';
import { createMakeZipHandler } from '../../../services/archiver/src/zip-downloads/make-zip.js';
import { createMakeExtractHandler } from '../../../services/journaler/src/extracts/make-extract.js';
import { EVENT_EXAMPLE, NDJSON, OPERATIONS, type Operation } from '../../src/api/index.js';
import { CommonConfig, readConfig } from '../../src/config/index.js';
import { danishDayOf } from '../../src/danish-time/index.js';
import { openParts, type Parts } from '../../src/service/index.js';
import { deliverMemo, read, SETUP, SYSTEM, untilNumbered, upsertCase } from '../inbox/support.js';

// Every call of the contract, as one that succeeds: with the examples of its bodies, on rows that are really there.

export type Name = keyof typeof OPERATIONS;
export const NAMES = Object.keys(OPERATIONS) as Name[];
export const operationOf = (name: Name): Operation => OPERATIONS[name];

/** A call that succeeds as it is. */
export interface PreparedCall {
  readonly operation: Operation;
  /** With every role that the call needs. */
  readonly as: TokenOptions;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** A line, where it takes lines. */
  readonly body: object | undefined;
}

const EVERYTHING: TokenOptions = { ...SETUP, roles: [...(SETUP.roles ?? []), 'Indbakke.Drift'] };
const AUDITOR: TokenOptions = { user: 'revisor-1', roles: ['Revisionslog.Læs'] };
const INSIGHT: TokenOptions = { user: 'aktindsigt-1', roles: ['Indbakke.Aktindsigt'] };
const OPERATOR: TokenOptions = { user: 'operator-1', operator: true, roles: ['Indbakke.Drift', 'Indbakke.Karantæne'] };
const TODAY = danishDayOf(new Date());

/** Prepares calls on a stack; `close` when done. */
export async function openCalls(stack: TestStack) {
  const parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  return {
    /** One call for each example of its body, each with a message of its own. */
    prepare: async (name: Name): Promise<PreparedCall[]> => {
      const { body, lines } = operationOf(name);
      const schema = body ?? lines?.body;
      const examples = schema ? examplesOf(schema) : [undefined];
      return Promise.all(examples.map((example) => prepareOne(stack, parts, name, example)));
    },
    close: async () => {
      await parts.queues.close();
      await parts.store.close();
    },
  };
}

const examplesOf = (schema: z.ZodType) => schema.meta()?.examples as object[];

async function prepareOne(stack: TestStack, parts: Parts, name: Name, example?: object): Promise<PreparedCall> {
  const operation = operationOf(name);
  const call = {
    operation,
    as: callerOf(operation),
    params: {},
    query: queryOf(operation),
    headers: operation.lines ? { 'content-type': NDJSON } : {},
    body: example,
  };
  if (operation.isOfInstallation) {
    const { entryId } = await quarantineOne(stack);
    return { ...call, as: OPERATOR, params: operation.params ? { entryId } : {} };
  }
  if (operation.lines) return call;
  if (operation.path.includes('/absences')) return { ...call, params: { userId: await makeAbsence(stack) } };
  if (name === 'upsertCase') return { ...call, params: { caseId: 'BF-1' } };
  if (name === 'setUpReply') return { ...call, body: { ...example, messageUUID: randomUUID() } };
  if (name === 'registerSentMessage') return { ...call, params: { messageUUID: randomUUID() } };
  const { action, items } = (example ?? {}) as { action?: keyof typeof READY_FOR; items?: object[] };
  if (action !== undefined) {
    const seen = await READY_FOR[action](stack);
    return { ...call, body: { ...example, items: items?.map((item) => ({ ...item, ...seen })) } };
  }
  if (name === 'changeMunicipality') {
    const { version } = (await (await stack.call('GET', '/municipality', { as: EVERYTHING })).json()) as Seen;
    // Another one each time, so that something changes.
    return { ...call, headers: { 'if-match': `"${version}"` }, body: { ...example, replyDays: 1 + (version % 90) } };
  }
  if (name === 'addContactPoint') return { ...call, body: { ...example, id: randomUUID() } };
  if (name === 'importContactPoints') {
    const {
      contactPoints: [point],
    } = example as { contactPoints: object[] };
    return { ...call, body: { contactPoints: [{ ...point, id: randomUUID() }] } };
  }
  if (name === 'addDepartment') return { ...call, body: { ...example, id: randomUUID() } };
  if (name === 'importDepartments') {
    const {
      departments: [department],
    } = example as { departments: object[] };
    return { ...call, body: { departments: [{ ...department, id: randomUUID() }] } };
  }
  if (operation.path.includes('/departments/:')) {
    const departmentId = await addDepartment(stack);
    const body = example && { ...example, phone: '87 65 43 21' };
    return { ...call, params: { departmentId }, headers: { 'if-match': '"1"' }, body };
  }
  if (operation.path.includes('/contact-points/:')) {
    const contactPointId = await addContactPoint(stack);
    const headers = operation.isVersioned && { 'if-match': '"1"' };
    return {
      ...call,
      params: { contactPointId },
      headers: headers ?? {},
      ...(example && { body: { ...example, kle: '27.30.00' } }),
    };
  }
  if (operation.path.includes('/webhooks/')) {
    const { webhookId, deliveryId } = await makeWebhook(stack);
    return { ...call, params: { webhookId }, ...(example && 'deliveryId' in example && { body: { deliveryId } }) };
  }
  if (operation.path.includes('/extracts')) return { ...call, params: await paramsOfExtract(stack, parts, operation) };
  if (operation.path.includes('/access-packages'))
    return { ...call, params: await paramsOfPackage(stack, parts, operation) };
  if (name === 'createZipDownload') {
    await roomForZips(stack);
    return { ...call, body: { ...example, items: [await deliverMemo(stack)] } };
  }
  if (operation.path.includes('/zip-downloads'))
    return { ...call, params: await paramsOfZipDownload(stack, parts, operation) };
  if (operation.path.includes('/handovers/:')) return { ...call, params: { handoverId: await makeOffer(stack) } };
  if (operation.change) {
    const { id, version } = await READY_FOR[operation.change as keyof typeof READY_FOR](stack);
    return { ...call, params: { id }, headers: { 'if-match': `"${version}"` } };
  }
  const id = await deliverMemo(stack);
  if (name === 'listEvents') await untilNumbered(stack);
  if (!operation.params) return call;
  const { documents } = await read(stack, id);
  const fileId = documents[0]?.files[0]?.id as string;
  return { ...call, params: 'fileId' in operation.params.shape ? { id, fileId } : { id } };
}

function callerOf({ roles }: Operation): TokenOptions {
  if (roles.includes('Indbakke.System')) return SYSTEM;
  if (roles.includes('Revisionslog.Læs')) return AUDITOR;
  return roles.includes('Indbakke.Aktindsigt') ? INSIGHT : EVERYTHING;
}

/** What its query must have. */
function queryOf({ path }: Operation): Record<string, string> {
  if (path.endsWith('/handovers')) return { direction: 'in' };
  if (path.includes('/figures')) return { from: TODAY, to: TODAY };
  return path.endsWith('/events') ? { after: '0' } : {};
}

interface Seen {
  readonly id: string;
  readonly version: number;
}

/** Makes messages that are ready for a change. */
const READY_FOR = (() => {
  const pending = async (stack: TestStack): Promise<Seen> => {
    await upsertCase(stack, 'BF-1');
    await addDepartment(stack, 'teknik-og-miljoe');
    return { id: await deliverMemo(stack), version: 1 };
  };
  const after = (name: Name, body?: object) => async (stack: TestStack) => {
    const { id, version } = await pending(stack);
    const call = { as: EVERYTHING, headers: { 'if-match': `"${version}"` }, ...(body && { body }) };
    const { method, path } = operationOf(name);
    const response = await stack.call(method.toUpperCase(), path.replace('/api/v1', '').replace(':id', id), call);
    expect(response.status, await response.clone().text()).toBe(200);
    return { id, version: version + 1 };
  };
  const held = async (stack: TestStack) => {
    const seen = await pending(stack);
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [seen.id]);
    return seen;
  };
  const assigned = after('assignIncomingDocument', { assignee: { kind: 'user', id: 'anna' } });
  const journalized = after('journalizeIncomingDocument', { caseIds: ['BF-1'] });
  const rejected = after('rejectIncomingDocument', { reason: 'unwanted', explanation: 'Ikke til os' });
  /** Another person has asked for its deletion. */
  const requested = async (stack: TestStack) => {
    const { id, version } = await rejected(stack);
    await stack.sql(
      `UPDATE messages SET deletion_requested_at = now(), deletion_requested_by = 'another', deletion_sent_on = true,
         deletion_sender_informed = false WHERE id = $1`,
      [id],
    );
    return { id, version };
  };
  const marked = after('markConcern');
  const offered = async (stack: TestStack) => {
    const { id, version } = await movable(stack);
    await offer(stack, id, version, EVERYTHING);
    return { id, version: version + 1 };
  };
  const ofChanges = {
    'handover-offered': movable,
    'handover-withdrawn': offered,
    assigned: pending,
    unassigned: assigned,
    released: held,
    journalized: pending,
    'taken-back': journalized,
    rejected: pending,
    'outcome-told': rejected,
    'distribution-asked': rejected,
    reopened: rejected,
    deleted: rejected,
    'deletion-confirmed': requested,
    'deletion-cancelled': requested,
    'legal-hold-set': pending,
    'legal-hold-lifted': after('setLegalHold', { reason: 'Retssag' }),
    'concern-marked': pending,
    'concern-unmarked': marked,
    'concern-assessed': marked,
    'concern-confirmed': marked,
  };
  return {
    ...ofChanges,
    assign: pending,
    unassign: assigned,
    journalize: pending,
    'take-back': journalized,
    reject: pending,
    'tell-outcome': rejected,
    reopen: rejected,
    delete: rejected,
    'confirm-deletion': requested,
    'cancel-deletion': requested,
  };
})();

/** A pending reply of a case that has moved to the other municipality. */
async function movable(stack: TestStack, municipality = ODENSKOV): Promise<Seen> {
  const movedTo = municipality === ODENSKOV ? VESTERSUND : ODENSKOV;
  await upsertCase(stack, 'BF-9', { status: 'moved', movedTo }, municipality);
  const id = await deliverMemo(stack, { recipient: { id: municipality }, subject: 'Til en flyttet sag' });
  await stack.sql(
    `UPDATE messages SET kind = 'reply', suggested_case_id = 'BF-9', suggestion_basis = 'case-id', suggestion_sender = 'other'
     WHERE id = $1`,
    [id],
  );
  return { id, version: 1 };
}

async function offer(stack: TestStack, id: string, version: number, as: TokenOptions): Promise<void> {
  const response = await stack.call('POST', `/incoming-documents/${id}/handover`, { as, version, body: {} });
  expect(response.status, await response.text()).toBe(200);
}

/** An offer of the other municipality. */
async function makeOffer(stack: TestStack): Promise<string> {
  const { id, version } = await movable(stack, VESTERSUND);
  await offer(stack, id, version, { ...EVERYTHING, municipality: VESTERSUND });
  const [row] = await stack.sql<{ id: string }>('SELECT id FROM handovers WHERE message_id = $1', [id]);
  return row?.id as string;
}

/** Delivers something that cannot be read. */
export async function quarantineOne(stack: TestStack, body = `hello ${randomUUID()}`): Promise<{ entryId: string }> {
  await stack.deliver(body);
  const [entry] = await stack.sql<{ id: string }>('SELECT id FROM quarantine_entries ORDER BY last_at DESC LIMIT 1');
  return { entryId: entry?.id as string };
}

async function addContactPoint(stack: TestStack): Promise<string> {
  const [example] = examplesOf(OPERATIONS.addContactPoint.body);
  const body = { ...example, id: randomUUID() };
  expect((await stack.call('POST', '/contact-points', { as: EVERYTHING, body })).status).toBe(200);
  await heldAreLookedAt(stack);
  return body.id;
}

async function addDepartment(stack: TestStack, id: string = randomUUID()): Promise<string> {
  const [example] = examplesOf(OPERATIONS.addDepartment.body);
  const added = await stack.call('POST', '/departments', { as: EVERYTHING, body: { ...example, id } });
  expect([200, 409]).toContain(added.status);
  return id;
}

/** After a change of the set-up, held messages are looked at, which is noted in the row of the municipality. */
export async function heldAreLookedAt(stack: TestStack): Promise<void> {
  await vi.waitFor(
    async () => expect(await stack.sql('SELECT FROM municipalities WHERE release_due IS NOT NULL')).toEqual([]),
    { timeout: 15_000, interval: 20 },
  );
}

/** A user who is absent, with a substitute. */
async function makeAbsence(stack: TestStack): Promise<string> {
  const userId = randomUUID();
  const [body] = examplesOf(OPERATIONS.setAbsence.body);
  const response = await stack.call('PUT', `/absences/${userId}`, { as: SYSTEM, body });
  expect(response.status).toBe(204);
  return userId;
}

/** A disabled webhook with a delivery. */
async function makeWebhook(stack: TestStack): Promise<{ webhookId: string; deliveryId: string }> {
  // A municipality has 20 at most.
  await stack.sql(
    'DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks ORDER BY created_at DESC, id DESC OFFSET 12)',
  );
  const [body] = examplesOf(OPERATIONS.createWebhook.body);
  const created = await stack.call('POST', '/webhooks', { as: SYSTEM, body });
  const { id: webhookId } = (await created.json()) as { id: string };
  await stack.sql(`UPDATE webhooks SET status = 'disabled', disabled_cause = 'by-caller' WHERE id = $1`, [webhookId]);
  const deliveryId = randomUUID();
  const event = { type: EVENT_EXAMPLE.type, timestamp: EVENT_EXAMPLE.at, data: EVENT_EXAMPLE };
  await stack.sql(
    `INSERT INTO webhook_deliveries (webhook_id, id, municipality, body, status, created_at, give_up_at, next_enqueue_at)
     SELECT id, $2, municipality, $3, 'delivered', now(), now(), now() FROM webhooks WHERE id = $1`,
    [webhookId, deliveryId, event],
  );
  return { webhookId, deliveryId };
}

async function paramsOfExtract(stack: TestStack, parts: Parts, { params }: Operation): Promise<Record<string, string>> {
  if (!params) return {};
  const [body] = examplesOf(OPERATIONS.createExtract.body);
  const created = await stack.call('POST', '/extracts', { as: EVERYTHING, body });
  const { id: extractId } = (await created.json()) as { id: string };
  if (!('fileId' in params.shape)) return { extractId };
  await stack.sql(`UPDATE extracts SET next_run_at = now(), next_enqueue_at = now() + interval '1 day' WHERE id = $1`, [
    extractId,
  ]);
  const [job] = await stack.sql<{ municipality: string; run: number }>(
    'SELECT municipality, run FROM extracts WHERE id = $1',
    [extractId],
  );
  const make = createMakeExtractHandler(parts as never, { SMALL_CONTENT_BYTES: 65_536 }); // the same, from another build of shared
  await make(
    { extractId, ...(job as { municipality: string; run: number }) },
    { signal: new AbortController().signal },
  );
  const extract = await stack.call('GET', `/extracts/${extractId}`, { as: EVERYTHING });
  const { files } = (await extract.json()) as { files: { id: string }[] };
  return { extractId, fileId: files[0]?.id as string };
}

async function paramsOfPackage(stack: TestStack, parts: Parts, { params }: Operation): Promise<Record<string, string>> {
  if (!params) return {};
  // A caller has 50 at most.
  await stack.sql(
    'DELETE FROM access_packages WHERE id IN (SELECT id FROM access_packages ORDER BY requested_at DESC, id DESC OFFSET 40)',
  );
  const [body] = examplesOf(OPERATIONS.createAccessPackage.body);
  const created = await stack.call('POST', '/access-packages', { as: INSIGHT, body });
  const { id: packageId } = (await created.json()) as { id: string };
  const [job] = await stack.sql<{ municipality: string; run: number }>(
    `UPDATE access_packages SET run = run + 1, next_enqueue_at = now() + interval '1 day' WHERE id = $1 RETURNING municipality, run`,
    [packageId],
  );
  const make = createMakePackageHandler(parts as never, { SMALL_CONTENT_BYTES: 262_144 });
  const context = { attempt: 1, signal: new AbortController().signal };
  await make({ packageId, ...(job as { municipality: string; run: number }) }, context);
  return { packageId };
}

/** A caller has 10 at most. */
async function roomForZips(stack: TestStack): Promise<void> {
  await stack.sql(
    'DELETE FROM zip_downloads WHERE id IN (SELECT id FROM zip_downloads ORDER BY requested_at DESC, id DESC OFFSET 5)',
  );
}

/** A zip that is ready, whichever job made it. */
async function paramsOfZipDownload(
  stack: TestStack,
  parts: Parts,
  { params }: Operation,
): Promise<Record<string, string>> {
  if (!params) return {};
  await roomForZips(stack);
  const body = { items: [await deliverMemo(stack)] };
  const created = await stack.call('POST', '/zip-downloads', { as: EVERYTHING, body });
  const { id: zipId } = (await created.json()) as { id: string };
  const [job] = await stack.sql<{ municipality: string; run: number }>(
    `UPDATE zip_downloads SET run = run + 1, next_enqueue_at = now() + interval '1 day'
     WHERE id = $1 RETURNING municipality, run`,
    [zipId],
  );
  const make = createMakeZipHandler(parts as never, { SMALL_CONTENT_BYTES: 262_144, ZIP_KEEP_HOURS: 24 });
  const context = { attempt: 1, signal: new AbortController().signal };
  await make({ zipId, ...(job as { municipality: string; run: number }) }, context);
  return { zipId };
}

/** Makes the call; OpenAPI must have its answer. */
export function send(stack: TestStack, call: PreparedCall): Promise<Response> {
  const { operation, as, headers, body } = call;
  return stack.call(operation.method.toUpperCase(), targetOf(call), { as, headers, ...(body && { body }) });
}

/** Path and query, after /api/v1. */
export function targetOf({ operation, params, query }: PreparedCall): string {
  const path = operation.path.replace('/api/v1', '').replaceAll(/:(\w+)/g, (_, name) => params[name] as string);
  const search = new URLSearchParams(query).toString();
  return search ? `${path}?${search}` : path;
}
