import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asSystem } from '@indbakke/shared/access';
import { HOUR, MINUTE } from '@indbakke/shared/config';
import { askForFile } from '@indbakke/shared/inbox';
import type { Log } from '@indbakke/shared/log';
import { openStore, type Store } from '@indbakke/shared/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DistributionSpec } from '../../../infra/src/local/distribution/write-distribution.js';
import { openSchemaCheck, type SchemaCheck } from '../../../infra/src/testkit/distribution-schema.js';
import {
  type DistributionService,
  type Misbehaviour,
  SECRET_TEXT,
  startDistributionService,
} from '../../../infra/src/testkit/distribution-service.js';
import { isInstalled } from '../../../infra/src/testkit/installed.js';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import type { ReceiptStatus } from '../../../shared/src/lifecycle/index.js';
import { change, deliverMemo, expectProblem, read, upsertCase } from '../../../shared/test/inbox/support.js';
import { ReceiverConfig } from '../src/config.js';
import { noteFailure as noteFileFailure, takeFetch } from '../src/sf2900/files/rows.js';
import { ATTEMPTS_TO_TELL, claimReceipt } from '../src/sf2900/receipts/rows.js';
import { createSendReceiptHandler, type SendReceiptData } from '../src/sf2900/receipts/send-receipt.js';
import { type DistributionClient, openDistributionClient } from '../src/sf2900/service/client.js';
import type { FailureCode } from '../src/sf2900/service/outcome.js';
import { TYPES_2, TYPES_3 } from '../src/sf2900/wsdl/namespaces.js';
import { dueReceipts, takeDocument } from './support/receipts.js';

// What the sender of a document is told of what became of it, by a stand-in for Distribution/3 that holds every call against our
// schema, and against KOMBIT's where it is. The stack itself sends nothing: the tests say when a receipt is due, and send it.

const FIXTURES = fileURLToPath(new URL('../../../../shared/fixtures/sf2900/', import.meta.url));
const CASE = 'K-1';
const SECRET_REASON = 'Barnet bor ikke her.';

let stack: TestStack;
let store: Store;
let checks: SchemaCheck[] = [];
beforeAll(async () => {
  stack = await startTestStack();
  store = openStore({ url: stack.serviceUrl, connections: 4, name: 'receipts' });
  await upsertCase(stack, CASE);
  if (!(await isInstalled('xmllint', ['--version']))) return;
  checks = [await openSchemaCheck()];
  if (!existsSync(FIXTURES)) return;
  const v2 = join(FIXTURES, 'SF2900_EP_MS1-2/DistributionServiceMsgV2.xsd');
  checks.push(await openSchemaCheck({ [TYPES_2]: v2, [TYPES_3]: join(FIXTURES, 'DistributionServiceMsg.xsd') }));
});
afterAll(async () => {
  await Promise.all(checks.map((check) => check.close()));
  await store.close();
  await stack.close();
});

let service: DistributionService;
let send: (data: SendReceiptData) => Promise<void>;
const lines: string[] = [];
const write = (event: string, fields?: object) => void lines.push(JSON.stringify({ event, ...fields }));
const log: Log = { info: write, warn: write, error: write, debug: write };

const clientOf = async (url: string, seconds = 1) =>
  (await openDistributionClient({
    SF2900_SERVICE_URL: url,
    SF2900_SERVICE_SECONDS: seconds,
    SF2900_SERVICE_KEY_FILE: undefined,
    SF2900_SERVICE_CERTIFICATE_FILE: undefined,
    SF2900_SERVICE_CA_FILE: undefined,
  })) as DistributionClient;

beforeEach(async () => {
  service = await startDistributionService({ checks });
  send = createSendReceiptHandler({ store, log, client: await clientOf(service.url) });
});
afterEach(async () => {
  await service.close();
  await stack.sql('DELETE FROM business_receipts');
});

let clock = Date.now();
/** So much later that whatever waits for its next attempt is due. */
const later = () => {
  clock += HOUR;
  return new Date(clock);
};
async function sendDue(now = later()): Promise<void> {
  for (const job of await dueReceipts(store, now)) await send(job);
}

const take = async (spec: DistributionSpec = {}) => (await takeDocument(stack, spec)).id;

const call = async (id: string, method: 'POST' | 'DELETE', path: string, body?: object) =>
  change(stack, method, `${id}/${path}`, { version: (await read(stack, id)).version, ...(body && { body }) });
const journalize = (id: string) => call(id, 'POST', 'journalization', { caseIds: [CASE] });
const takeBack = (id: string) => call(id, 'DELETE', 'journalization', { reason: 'wrong-case' });
const REJECTION = { reason: 'wrong-department', explanation: 'Hører til i Teknik.' };
const reject = (id: string, more: object = {}) => call(id, 'POST', 'rejection', { ...REJECTION, ...more });
const reopen = (id: string) => call(id, 'DELETE', 'rejection');
const remove = (id: string) => call(id, 'POST', 'deletion', { sentOn: true, senderInformed: false });

const receiptsOf = async (id: string) => (await read(stack, id)).distribution?.receipts ?? [];
const statesOf = async (id: string) => (await receiptsOf(id)).map(({ code, status }) => `${code} ${status}`);
const historyOf = async (id: string) => (await read(stack, id)).history.map(({ action }) => action);
/** What the sender was told, the oldest first. */
const told = () =>
  service.calls.map(({ request }) => {
    const { ForretningsValideringsKode } = request.Forretningskvittering as Record<string, string>;
    return ForretningsValideringsKode;
  });

/** The file of the document is given up. */
async function giveUp(id: string): Promise<void> {
  const [row] = await stack.sql<{ id: string }>('SELECT id FROM file_fetches WHERE message_id = $1', [id]);
  const data = { fileId: (row as { id: string }).id, municipality: ODENSKOV, run: 1 };
  const fetch = await takeFetch(store, data);
  if (!fetch) throw new Error('It is not fetched.');
  await noteFileFailure(store, fetch, { code: 'too-large', again: false, isOurs: false }, 72);
}

describe('the sender of a document is told', () => {
  it('ACCEPTERET when it is journalized, with the context as it came', async () => {
    const { id, transactionId } = await takeDocument(stack, { routing: { kle: '27.24.00', facet: 'G01' } });
    await journalize(id);
    expect(await statesOf(id)).toEqual(['ACCEPTERET waiting']);

    await sendDue();

    const [receipt] = await receiptsOf(id);
    expect(receipt).toMatchObject({ code: 'ACCEPTERET', status: 'sent', attempts: 1, fault: null });
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM business_receipts');
    expect(service.calls).toMatchObject([
      {
        fault: undefined,
        request: {
          CallContext: { CallersServiceCallIdentifier: row?.id },
          AuthorityContext: { MunicipalityCVR: ODENSKOV },
          Forretningskvittering: { ForretningsValideringsKode: 'ACCEPTERET', Kvitteringstype: 'Forretning' },
          DistributionContext: {
            AnvenderTransaktionsID: transactionId,
            RoutingMyndighed: ODENSKOV,
            RoutingValg: { RoutingKLEEmneHandling: { RoutingKLEEmne: '27.24.00', RoutingHandlingFacet: 'G01' } },
          },
        },
      },
    ]);
    const { history, version } = await read(stack, id);
    expect(version).toBe(3);
    expect(history.at(-1)).toMatchObject({ action: 'receipt-sent', details: { code: 'ACCEPTERET', attempts: 1 } });
  });

  it('AFVIST with the words for the sender when it is rejected, and none of the others', async () => {
    const id = await take();
    await reject(id, { reasonForSender: 'Ikke en sag for Odenskov. <Send til Region>' });
    expect((await read(stack, id)).rejection).toMatchObject({
      explanation: REJECTION.explanation,
      reasonForSender: 'Ikke en sag for Odenskov. <Send til Region>',
    });

    await sendDue();

    expect(service.calls).toMatchObject([
      {
        fault: undefined,
        request: {
          Forretningskvittering: {
            ForretningsValideringsKode: 'AFVIST',
            Begrundelse: 'Ikke en sag for Odenskov. <Send til Region>',
          },
        },
      },
    ]);
    expect(service.calls[0]?.envelope).not.toMatch(/Teknik|wrong-department/);
  });

  it('AFVIST without words when there are none', async () => {
    const id = await take();
    await reject(id);
    await sendDue();
    expect(service.calls[0]?.fault).toBeUndefined();
    expect(service.calls[0]?.request.Forretningskvittering).not.toHaveProperty('Begrundelse');
  });

  it('FEJLET when its file never comes, with our code', async () => {
    const id = await take({ fileName: 'stor.pdf' });
    await giveUp(id);

    await sendDue();

    expect(service.calls).toMatchObject([
      {
        fault: undefined,
        request: {
          Forretningskvittering: {
            ForretningsValideringsKode: 'FEJLET',
            Begrundelse: 'Filen er ikke modtaget.',
            FejlListe: { Fejl: { FejlKode: 'too-large', FejlTekst: 'Filen er ikke modtaget.' } },
          },
        },
      },
    ]);
    expect(await historyOf(id)).toEqual(['accepted', 'file-missing', 'receipt-sent']);
  });

  it('AFVIST also when the file is asked for again before it is told, and nothing more of FEJLET', async () => {
    const id = await take({ fileName: 'udtalelse.pdf' });
    await giveUp(id);
    await reject(id);
    const principal = asSystem(ODENSKOV, { kind: 'user', id: 'drift-1' });
    await askForFile(store, { principal, id, expectedVersion: undefined, at: new Date() });

    expect(await statesOf(id)).toEqual(['FEJLET withdrawn', 'AFVIST waiting']);
    await sendDue();

    expect(told()).toEqual(['AFVIST']);
  });

  it('nothing more of a FEJLET in doubt once the file is here', async () => {
    const id = await take({ fileName: 'udtalelse.pdf' });
    await giveUp(id);
    service.misbehave('cut-answer');
    await sendDue();
    expect(await statesOf(id)).toEqual(['FEJLET sending']);
    const principal = asSystem(ODENSKOV, { kind: 'user', id: 'drift-1' });
    await askForFile(store, { principal, id, expectedVersion: undefined, at: new Date() });

    await sendDue();

    expect(await statesOf(id)).toEqual(['FEJLET in-doubt']);
    expect(told()).toEqual(['FEJLET']);
  });

  it('AFVIST of a document that is deleted before, whose fetch goes with it', async () => {
    const id = await take({ fileName: 'udtalelse.pdf' });
    await giveUp(id);
    await reject(id);
    await remove(id);

    await sendDue();

    expect(told()).toEqual(['AFVIST']);
    expect(await stack.sql('SELECT FROM file_fetches WHERE message_id = $1', [id])).toEqual([]);
  });

  it('ACCEPTERET after FEJLET, when it is journalized all the same', async () => {
    const id = await take({ fileName: 'sen.pdf' });
    await giveUp(id);
    await sendDue();
    await journalize(id);
    await sendDue();
    expect(told()).toEqual(['FEJLET', 'ACCEPTERET']);
  });

  it('ACCEPTERET once, however often it is journalized', async () => {
    const id = await take();
    await journalize(id);
    await sendDue();
    await takeBack(id);
    await journalize(id);
    await sendDue();
    expect(await statesOf(id)).toEqual(['ACCEPTERET sent']);
    expect(told()).toEqual(['ACCEPTERET']);
  });

  it('AFVIST after ACCEPTERET, when it is taken back and rejected', async () => {
    const id = await take();
    await journalize(id);
    await sendDue();
    await takeBack(id);
    await reject(id);
    await sendDue();
    expect(told()).toEqual(['ACCEPTERET', 'AFVIST']);
  });

  it('AFVIST without words when it is deleted before', async () => {
    const id = await take();
    await reject(id, { reasonForSender: SECRET_REASON });
    await remove(id);
    await sendDue();
    expect(told()).toEqual(['AFVIST']);
    expect(service.calls[0]?.envelope).not.toContain(SECRET_REASON);
    const rows = await stack.sql('SELECT type, status FROM events WHERE message_id = $1 ORDER BY version', [id]);
    expect(rows.at(-1)).toEqual({ type: 'receipt-sent', status: 'deleted' });
  });

  it('nothing of Digital Post, nor of a municipality to practise in', async () => {
    const letter = await deliverMemo(stack);
    await journalize(letter);
    const [as, recipient] = [{ municipality: '99999999' }, '99999999'];
    await stack.sql(
      `INSERT INTO municipalities (cvr, name, is_training, training_since) VALUES ($1, 'Øvelse', true, now())`,
      [recipient],
    );
    const { id } = await takeDocument(stack, { recipient });
    await change(stack, 'POST', `${id}/rejection`, { as, version: 1, body: REJECTION });
    expect(await stack.sql('SELECT FROM business_receipts')).toEqual([]);
  });
});

it('neither a file nor a receipt is due while its job runs', async () => {
  const id = await take({ fileName: 'hentes-nu.pdf' });
  await reject(id);
  const taken = async (table: 'file_fetches' | 'business_receipts') => {
    const [row] = await stack.sql<{ id: string }>(
      `UPDATE ${table} SET run = 100, next_enqueue_at = now() + interval '1 minute' WHERE message_id = $1 RETURNING id`,
      [id],
    );
    return row?.id ?? '';
  };
  const job = { municipality: ODENSKOV, run: 100 };
  expect(await takeFetch(store, { ...job, fileId: await taken('file_fetches') })).toBeDefined();
  expect(await claimReceipt(store, { ...job, receiptId: await taken('business_receipts') })).toBeDefined();
  for (const table of ['file_fetches', 'business_receipts'])
    expect(
      await stack.sql(
        `SELECT FROM ${table} WHERE message_id = $1 AND next_enqueue_at < now() + interval '10 minutes'`,
        [id],
      ),
    ).toEqual([]);
});

describe('what is undone', () => {
  it.each([
    ['a journalization', journalize, takeBack, 'ACCEPTERET'],
    ['a rejection', reject, reopen, 'AFVIST'],
  ])('before it is told is not told: %s', async (_what, decide, undo, code) => {
    const id = await take();
    await decide(id);
    await undo(id);
    await sendDue();
    expect(await statesOf(id)).toEqual([`${code} withdrawn`]);
    expect(told()).toEqual([]);
  });

  it('can be for five minutes, unless another time is set', async () => {
    const { SF2900_RECEIPT_DELAY_SECONDS: delay } = ReceiverConfig.pick({ SF2900_RECEIPT_DELAY_SECONDS: true }).parse(
      {},
    );
    const id = await take();
    await journalize(id);
    const at = new Date((await receiptsOf(id))[0]?.at as string).getTime();
    expect(await dueReceipts(store, new Date(at + 5 * MINUTE - 1), delay)).toEqual([]);
    expect(await dueReceipts(store, new Date(at + 5 * MINUTE), delay)).toHaveLength(1);
  });

  it('is no rejection that the sender knows, or may know', async () => {
    const id = await take();
    await reject(id);
    const [job] = await dueReceipts(store, later());
    service.misbehave('cut');
    await send(job as SendReceiptData);
    expect(await statesOf(id)).toEqual(['AFVIST sending']);
    for (const _ of ['in doubt', 'sent']) {
      const { version, allowed } = await read(stack, id);
      expect(allowed).not.toContain('reopened');
      const problem = await expectProblem(
        await stack.call('DELETE', `/incoming-documents/${id}/rejection`, { version }),
        409,
        'rejection-told',
      );
      expect(problem.detail).toMatch(/^The sender has been told that the document was rejected, or may have been; /);
      await sendDue();
    }
    expect(await statesOf(id)).toEqual(['AFVIST sent']);
  });

  it('is no rejection whose receipt begins to be sent while it is reopened', async () => {
    const id = await take();
    await reject(id);
    const [job] = await dueReceipts(store, later());
    const { version } = await read(stack, id);
    const [response] = await Promise.all([
      stack.call('DELETE', `/incoming-documents/${id}/rejection`, { version }),
      send(job as SendReceiptData),
    ]);
    const isReopened = response.status === 200;
    expect(await statesOf(id)).toEqual([isReopened ? 'AFVIST withdrawn' : 'AFVIST sent']);
    expect(told()).toEqual(isReopened ? [] : ['AFVIST']);
  });

  it('may be a journalization that the sender knows, and its history says so', async () => {
    const id = await take();
    await journalize(id);
    await sendDue();
    await takeBack(id);
    const { history } = await read(stack, id);
    expect(history.at(-1)).toMatchObject({
      action: 'taken-back',
      details: { reason: 'wrong-case', receiptSent: true },
    });
    await journalize(id);
    await stack.sql('DELETE FROM business_receipts');
    await takeBack(id);
    expect((await read(stack, id)).history.at(-1)?.details).not.toHaveProperty('receiptSent');
  });

  it('is refused in a bulk call too, and nothing else of it', async () => {
    const [knows, doesNot] = [await take(), await take()];
    await reject(knows);
    await sendDue();
    await reject(doesNot);
    const items = await Promise.all(
      [knows, doesNot].map(async (id) => ({ id, version: (await read(stack, id)).version })),
    );
    const response = await stack.call('POST', '/incoming-documents/bulk', { body: { action: 'reopen', items } });
    const text = await response.text();
    expect(text).toContain('rejection-told');
    expect([(await read(stack, knows)).status, (await read(stack, doesNot)).status]).toEqual(['rejected', 'pending']);
  });
});

describe('a document whose file is on its way', () => {
  it('is neither journalized nor deleted until it is here or given up', async () => {
    const id = await take({ fileName: 'paa-vej.pdf' });
    const { allowed, version } = await read(stack, id);
    expect(allowed).not.toContain('journalized');
    const body = { caseIds: [CASE] };
    await expectProblem(
      await stack.call('POST', `/incoming-documents/${id}/journalization`, { version, body }),
      409,
      'file-on-its-way',
    );
    await reject(id);
    const rejected = await read(stack, id);
    expect(rejected.allowed).not.toContain('deleted');
    const deletion = { version: rejected.version, body: { sentOn: true, senderInformed: false } };
    await expectProblem(
      await stack.call('POST', `/incoming-documents/${id}/deletion`, deletion),
      409,
      'file-on-its-way',
    );
    await giveUp(id);
    await remove(id);
  });
});

describe('words for the sender', () => {
  it('are refused of a letter of Digital Post, whose sender is never told', async () => {
    const id = await deliverMemo(stack);
    const body = { ...REJECTION, reasonForSender: SECRET_REASON };
    const problem = await expectProblem(
      await stack.call('POST', `/incoming-documents/${id}/rejection`, { version: 1, body }),
      400,
      'bad-request',
    );
    expect(problem.detail).toBe('body.reasonForSender: the sender of Digital Post is never told of a rejection.');
    expect((await read(stack, id)).status).toBe('pending');
  });

  it('are gone when it is reopened', async () => {
    const id = await take();
    await reject(id, { reasonForSender: SECRET_REASON });
    await reopen(id);
    await reject(id);
    expect((await read(stack, id)).rejection?.reasonForSender).toBeNull();
  });

  it('make the repeat of a rejection another one when they differ', async () => {
    const id = await take();
    const body = { ...REJECTION, reasonForSender: SECRET_REASON };
    const path = `/incoming-documents/${id}/rejection`;
    for (const status of [200, 200]) expect((await stack.call('POST', path, { version: 1, body })).status).toBe(status);
    const other = await stack.call('POST', path, { version: 1, body: { ...body, reasonForSender: 'Andet' } });
    await expectProblem(other, 412, 'version-changed');
  });

  it('are in no event and no audit row', async () => {
    const id = await take();
    await reject(id, { reasonForSender: SECRET_REASON });
    await sendDue();
    const rows = await stack.sql(
      `SELECT details FROM events WHERE message_id = $1 UNION ALL SELECT details FROM audit_events WHERE message_id = $1`,
      [id],
    );
    expect(rows.length).toBeGreaterThan(4);
    expect(JSON.stringify(rows)).not.toContain(SECRET_REASON);
  });
});

describe('a receipt that does not get across', () => {
  const MISBEHAVIOURS: readonly [Misbehaviour, FailureCode, faultCode?: string][] = [
    ['fault', 'fault-server', 'SP-500'],
    ['client-fault', 'fault-client', 'SP-403'],
    ['unavailable', 'http-status'],
    ['redirect', 'http-status'],
    ['not-xml', 'not-soap'],
    ['huge', 'answer-too-large'],
    ['hang', 'timeout'],
    ['cut', 'connection-broken'],
    ['cut-answer', 'connection-broken'],
  ];
  it.each(MISBEHAVIOURS)(
    'is sent again, the same, after a service that does this: %s',
    async (how, fault, faultCode = '') => {
      const id = await take();
      await reject(id, { reasonForSender: SECRET_REASON });
      lines.length = 0;
      service.misbehave(how);

      await sendDue();

      expect(await receiptsOf(id)).toMatchObject([{ code: 'AFVIST', status: 'sending', attempts: 1, fault }]);
      expect(await dueReceipts(store, new Date())).toEqual([]);
      await sendDue();
      expect(await receiptsOf(id)).toMatchObject([{ code: 'AFVIST', status: 'sent', attempts: 2, fault: null }]);
      const [first, second] = service.calls;
      expect(service.calls).toHaveLength(2);
      expect(second?.envelope).toBe(first?.envelope);
      expect(lines).toEqual([expect.stringContaining(`"code":"${fault}"`)]);
      expect(lines[0]).toContain(`"faultCodes":"${faultCode}"`);
      expect(lines.join()).not.toMatch(new RegExp(`${SECRET_TEXT}|${SECRET_REASON}|9999`));
    },
  );

  it('waits as before when nothing of it was sent, so that it can be undone', async () => {
    const id = await take();
    await reject(id);
    const url = service.url;
    await service.close();
    send = createSendReceiptHandler({ store, log, client: await clientOf(url) });
    await sendDue();
    expect(await receiptsOf(id)).toMatchObject([{ status: 'waiting', attempts: 1, fault: 'cannot-connect' }]);
    await reopen(id);
    service = await startDistributionService({ checks });
  });

  it('stays in doubt when it was, though nothing of it was sent later', async () => {
    const id = await take();
    await reject(id);
    service.misbehave('cut');
    await sendDue();
    const url = service.url;
    await service.close();
    send = createSendReceiptHandler({ store, log, client: await clientOf(url) });
    await sendDue();
    expect(await receiptsOf(id)).toMatchObject([{ status: 'sending', attempts: 2, fault: 'cannot-connect' }]);
    service = await startDistributionService({ checks });
  });

  it('is withdrawn when its decision was undone meanwhile, and nothing of it was sent', async () => {
    const id = await take();
    await journalize(id);
    const [job] = await dueReceipts(store, later());
    const url = service.url;
    await service.close();
    // The client that takes the message back before it fails to connect.
    const client = await clientOf(url);
    const slow: DistributionClient = {
      async call(...args) {
        await takeBack(id);
        return client.call(...args);
      },
    };
    await createSendReceiptHandler({ store, log, client: slow })(job as SendReceiptData);
    expect(await statesOf(id)).toEqual(['ACCEPTERET withdrawn']);
    service = await startDistributionService({ checks });
  });

  it('holds back a later one of the same document, since the last that comes is the one that holds', async () => {
    const id = await take();
    await journalize(id);
    service.misbehave('hang');
    await sendDue();
    await takeBack(id);
    await reject(id);
    expect(await statesOf(id)).toEqual(['ACCEPTERET sending', 'AFVIST waiting']);
    expect(await dueReceipts(store, new Date())).toEqual([]);
    await sendDue();
    await sendDue();
    expect(told()).toEqual(['ACCEPTERET', 'ACCEPTERET', 'AFVIST']);
  });

  it('is tried with growing waits of up to a quarter of an hour, and the history tells once that it fails', async () => {
    const id = await take();
    await journalize(id);
    const waits: number[] = [];
    service.misbehave('unavailable', ATTEMPTS_TO_TELL + 2);
    for (let n = 0; n < ATTEMPTS_TO_TELL + 2; n += 1) {
      await sendDue();
      const [row] = await stack.sql<{ seconds: number }>(
        'SELECT round(extract(epoch FROM next_enqueue_at - now()))::int AS seconds FROM business_receipts',
      );
      waits.push(Math.round((row?.seconds ?? 0) / 10) * 10);
    }
    expect(waits.slice(0, 9)).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900]);
    const history = (await read(stack, id)).history.filter(({ action }) => action === 'receipt-failed');
    expect(history).toMatchObject([{ details: { code: 'ACCEPTERET', fault: 'http-status' } }]);
  });

  it('is sent once by two processes that look at once', async () => {
    const other = openStore({ url: stack.serviceUrl, connections: 2, name: 'other' });
    send = createSendReceiptHandler({ store, log, client: await clientOf(service.url, 30) });
    const ids = await Promise.all(Array.from({ length: 8 }, () => take()));
    for (const id of ids) await journalize(id);
    const now = later();
    const jobs = (await Promise.all([store, other].map((each) => dueReceipts(each, now)))).flat();
    await Promise.all(jobs.map(send));
    expect(service.calls).toHaveLength(ids.length);
    const states = new Set<ReceiptStatus>();
    for (const id of ids) for (const { status } of await receiptsOf(id)) states.add(status);
    expect([...states]).toEqual(['sent']);
    await other.close();
  });

  it('is not sent by a job of an older run', async () => {
    const id = await take();
    await journalize(id);
    const [old] = await dueReceipts(store, later());
    service.misbehave('unavailable');
    await sendDue();
    await send(old as SendReceiptData);
    expect(service.calls).toHaveLength(1);
  });

  it('is recorded once, though a job that was taken for lost has sent it as well', async () => {
    const id = await take();
    await journalize(id);
    const [job] = await dueReceipts(store, later());
    const client = await clientOf(service.url);
    const slow: DistributionClient = {
      async call(...args) {
        await sendDue();
        return client.call(...args);
      },
    };
    await createSendReceiptHandler({ store, log, client: slow })(job as SendReceiptData);
    expect(service.calls).toHaveLength(2);
    expect((await historyOf(id)).filter((action) => action === 'receipt-sent')).toHaveLength(1);
    expect(await receiptsOf(id)).toMatchObject([{ status: 'sent', attempts: 1 }]);
  });
});
