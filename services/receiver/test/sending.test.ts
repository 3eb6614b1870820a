import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { distribute } from '../../../infra/src/local/distribution/write-distribution.js';
import { openSchemaCheck, type SchemaCheck } from '../../../infra/src/testkit/distribution-schema.js';
import {
  type DistributionService,
  type Misbehaviour,
  SECRET_TEXT,
  startDistributionService,
} from '../../../infra/src/testkit/distribution-service.js';
import { isInstalled } from '../../../infra/src/testkit/installed.js';
import { SYSTEM_ID } from '../../../infra/src/testkit/sending-on.js';
import { type FaultySftpServer, sftpEnv, startFaultySftpServer } from '../../../infra/src/testkit/sftp-server.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { unzip } from '../../../infra/src/testkit/unzip.js';
import { type ReceiptSpec, writeReceipt } from '../../../infra/src/testkit/write-receipt.js';
import type { DocumentAnswer } from '../../../shared/src/api/index.js';
import type { OnwardStatus } from '../../../shared/src/lifecycle/index.js';
import { change, deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';
import { TYPES_2, TYPES_3 } from '../src/sf2900/wsdl/namespaces.js';
import { ask, BODY, RECIPIENT, rejected, transactionOf } from './support/onward.js';

// @module-tag long

// Rejected letters are sent on by the services themselves, to a server of SFTP and a stand-in for Distribution/3 that holds every
// call against our schema, and against KOMBIT's where it is.

const FIXTURES = fileURLToPath(new URL('../../../../shared/fixtures/sf2900/', import.meta.url));

let sftp: FaultySftpServer;
let service: DistributionService;
let stack: TestStack;
let checks: SchemaCheck[] = [];
beforeAll(async () => {
  if (await isInstalled('xmllint', ['--version'])) checks = [await openSchemaCheck()];
  if (checks.length > 0 && existsSync(FIXTURES)) {
    const v2 = join(FIXTURES, 'SF2900_EP_MS1-2/DistributionServiceMsgV2.xsd');
    checks.push(await openSchemaCheck({ [TYPES_2]: v2, [TYPES_3]: join(FIXTURES, 'DistributionServiceMsg.xsd') }));
  }
  sftp = await startFaultySftpServer();
  service = await startDistributionService({ checks });
  stack = await startTestStack({
    ...sftpEnv(sftp),
    SF2900_SENDING: 'on',
    SF2900_SYSTEM_ID: SYSTEM_ID,
    SF2900_SERVICE_URL: service.url,
    SF2900_SERVICE_SECONDS: '1',
  });
});
afterAll(async () => {
  await stack.close();
  await service.close();
  await sftp.close();
  await Promise.all(checks.map((check) => check.close()));
});
afterEach(async () => {
  sftp.behave();
  service.misbehave('fault', 0);
  await stack.sql(`UPDATE onward_distributions SET status = 'failed' WHERE status IN ('waiting', 'uploaded')`);
});

const outFolder = () => join(sftp.folder, 'OUT');
const outFile = async (id: string, extension: string) =>
  readFile(join(outFolder(), `${await transactionOf(stack, id)}${extension}`));

/** Reads the message again and again, with its next attempt due, until it is as wanted. */
async function until(id: string, isIt: (sentOn: NonNullable<DocumentAnswer['sentOn']>) => boolean) {
  await expect
    .poll(
      async () => {
        const { sentOn } = await read(stack, id);
        if (sentOn && isIt(sentOn)) return true;
        await stack.sql('UPDATE onward_distributions SET next_enqueue_at = now() WHERE message_id = $1', [id]);
        return sentOn;
      },
      { timeout: 15_000, interval: 100 },
    )
    .toBe(true);
  return read(stack, id);
}
const untilIs = (id: string, status: OnwardStatus) => until(id, (sentOn) => sentOn.status === status);

/** A letter that is sent on. */
async function sent(body: object = BODY): Promise<string> {
  const id = await rejected(stack);
  expect((await ask(stack, id, body)).status).toBe(200);
  await untilIs(id, 'sent');
  return id;
}

const callsOf = async (id: string) => {
  const transactionId = await transactionOf(stack, id);
  return service.calls.filter(({ envelope }) => envelope.includes(transactionId));
};

async function answer(id: string, spec: ReceiptSpec = {}): Promise<Response> {
  return distribute(stack.url, writeReceipt({ transactionId: await transactionOf(stack, id), ...spec }));
}

const PDF = Buffer.from('%PDF-1.7\nBrevet selv');
const main = { files: [{ name: 'brev.pdf', type: 'application/pdf', content: PDF }] };

describe('a rejected letter', () => {
  it('of one file is sent on as that file, with what its schemas demand, and that is its outcome', async () => {
    const id = await rejected(stack, {
      subject: 'Vedr. hegn',
      documents: [main],
      concerning: { cpr: '4101019998', name: 'Barn' },
    });
    expect((await read(stack, id)).allowed).toContain('distribution-asked');

    const response = await ask(stack, id, { ...BODY, title: 'Brev om hegn' });

    expect(await response.json()).toEqual({ id, status: 'rejected', version: 3 });
    const message = await untilIs(id, 'sent');
    expect(await outFile(id, '.pdf')).toEqual(PDF);
    const transactionId = await transactionOf(stack, id);
    const [call, ...more] = await callsOf(id);
    expect(more).toEqual([]);
    expect(call).toMatchObject({
      operation: 'FordelingsobjektAfsend',
      fault: undefined,
      request: {
        AuthorityContext: { MunicipalityCVR: ODENSKOV },
        anmodning: {
          DistributionContext: {
            AnvenderTransaktionsID: transactionId,
            AfsendendeMyndighed: ODENSKOV,
            RoutingMyndighed: RECIPIENT,
            RoutingValg: { RoutingKLEEmneHandling: { RoutingKLEEmne: '27.24.00', RoutingHandlingFacet: 'G01' } },
            DokumentFilNavn: `${transactionId}.pdf`,
          },
          DistributionObject: { ObjektIndhold: { DistributionDokument: { ID: id, KLEEmneForslag: '27.24.00' } } },
        },
      },
    });
    for (const text of ['Brev om hegn', 'urn:oio:cpr-nr:4101019998', SYSTEM_ID, `${PDF.length}</t:Filstoerrelse>`]) {
      expect(call?.envelope).toContain(text);
    }
    expect(message.sentOn).toEqual({
      ...BODY,
      receiver: null,
      status: 'sent',
      at: expect.any(String),
      by: 'caseworker-1',
      technicalReceipt: { code: 'MODTAGET', reason: null },
      businessReceipt: null,
      attempts: 0,
      fault: null,
    });
    expect(message.rejection?.outcome).toMatchObject({
      forwardedTo: { departmentId: null, name: `CVR ${RECIPIENT}` },
      by: 'caseworker-1',
    });
    expect(message.history.map(({ action }) => action).slice(-2)).toEqual(['distribution-asked', 'distribution-sent']);
    expect(message.allowed).not.toContain('distribution-asked');
  });

  it('of several files is sent on as the zip that the inbox offers of it, without technical documents', async () => {
    const attachment = { files: [{ name: 'bilag.txt', type: 'text/plain', content: Buffer.from('Bilag') }] };
    const technical = {
      technical: true as const,
      files: [{ name: 't.txt', type: 'text/plain', content: Buffer.from('x') }],
    };
    const id = await rejected(stack, { documents: [main, attachment, technical] });
    await ask(stack, id);
    await untilIs(id, 'sent');

    const zip = await outFile(id, '.zip');

    expect([...unzip(zip).keys()]).toEqual(['brev.pdf', 'bilag/bilag.txt']);
    const offered = await stack.call('GET', `/incoming-documents/${id}/zip`);
    expect(zip.equals(Buffer.from(await offered.arrayBuffer()))).toBe(true);
    const [call] = await callsOf(id);
    expect(call).toMatchObject({ fault: undefined });
    expect(call?.envelope).toContain('application/zip');
  });

  it('can be routed to a system instead', async () => {
    const receiver = randomUUID();
    const id = await sent({ recipient: RECIPIENT, kle: '27.24.00', receiver });
    const [call] = await callsOf(id);
    expect(call).toMatchObject({ fault: undefined });
    expect(call?.envelope).toContain(`<t:RoutingModtagerAktoer>${receiver}</t:RoutingModtagerAktoer>`);
  });

  it('is sent on once, whatever is asked again; the same request gets the same answer', async () => {
    const id = await rejected(stack);
    const options = { version: 2, headers: { 'idempotency-key': randomUUID() } };
    const answers = await Promise.all([ask(stack, id, BODY, options), ask(stack, id, BODY, options)]);
    for (const each of answers) expect(await each.json()).toEqual({ id, status: 'rejected', version: 3 });
    await expectProblem(await ask(stack, id), 409, 'sent-on');
    await untilIs(id, 'sent');
    await expectProblem(await ask(stack, id), 409, 'sent-on');
    expect(await callsOf(id)).toHaveLength(1);
  });

  it('that is pending, or whose deletion waits, is not', async () => {
    await expectProblem(await ask(stack, await deliverMemo(stack)), 409, 'wrong-status');
    const id = await rejected(stack);
    await stack.sql(`UPDATE messages SET deletion_requested_at = now(), deletion_requested_by = 'bo' WHERE id = $1`, [
      id,
    ]);
    expect((await read(stack, id)).allowed).not.toContain('distribution-asked');
    await expectProblem(await ask(stack, id), 409, 'wrong-deletion');
  });

  it('needs a CVR number and a KLE number', async () => {
    const id = await rejected(stack);
    for (const wrong of [{ recipient: '123' }, { kle: '27.24' }, { facet: 'g1' }, { receiver: 'x' }, { title: '' }]) {
      await expectProblem(await ask(stack, id, { ...BODY, ...wrong }), 400, 'bad-request');
    }
  });

  it('is only sent on by who has the role, in the own municipality', async () => {
    const id = await rejected(stack);
    const roles = CASEWORKER_ROLES.filter((role) => role !== 'IndkomneDokumenter.SendVidere');
    expect((await read(stack, id, { roles })).allowed).not.toContain('distribution-asked');
    await expectProblem(await ask(stack, id, BODY, { as: { roles } }), 403, 'role-missing');
    await expectProblem(await ask(stack, id, BODY, { as: { municipality: VESTERSUND } }), 404, 'not-found');
  });

  it('can neither be deleted nor reopened while it is on its way; afterwards it can', async () => {
    sftp.obey(() => 'refuse');
    const id = await rejected(stack);
    await ask(stack, id);
    const waiting = await until(id, ({ fault }) => fault === 'refused');
    expect(waiting.allowed).not.toContain('deleted');
    expect(waiting.allowed).not.toContain('reopened');
    const at = { version: waiting.version };
    const deletion = { ...at, body: { sentOn: true, senderInformed: false } };
    await expectProblem(await stack.call('POST', `/incoming-documents/${id}/deletion`, deletion), 409, 'sent-on');
    await expectProblem(await stack.call('DELETE', `/incoming-documents/${id}/rejection`, at), 409, 'sent-on');

    sftp.behave();
    const { version } = await untilIs(id, 'sent');

    await change(stack, 'DELETE', `${id}/rejection`, { version });
    expect((await read(stack, id)).status).toBe('pending');
  });
});

describe('what goes wrong is tried again in the same transaction:', () => {
  it.each<[Misbehaviour, string]>([
    ['fault', 'fault-server'],
    ['client-fault', 'fault-client'],
    ['no-receipt', 'not-soap'],
    ['unavailable', 'http-status'],
    ['cut', 'connection-broken'],
    ['hang', 'timeout'],
  ])('%s of the service is noted as %s', async (how, fault) => {
    service.misbehave(how, 1_000);
    const id = await rejected(stack);
    await ask(stack, id);
    const waiting = await until(id, (sentOn) => sentOn.attempts > 1);
    expect(waiting.sentOn).toMatchObject({ status: 'uploaded', fault, technicalReceipt: null });
    service.misbehave(how, 0);
    await untilIs(id, 'sent');
    const calls = await callsOf(id);
    expect(calls.length).toBeGreaterThan(2);
    expect(new Set(calls.map(({ envelope }) => envelope)).size).toBe(1);
  });

  it.each([
    ['refuse', 'refused'],
    ['fail', 'failed'],
    ['cut', 'cut'],
    ['hang', 'cut'],
  ] as const)(
    '%s of the SFTP server is noted as %s, and Fordelingskomponenten hears nothing yet',
    async (how, fault) => {
      sftp.obey(() => how);
      const id = await rejected(stack);
      await ask(stack, id);
      await until(id, (sentOn) => sentOn.fault === fault);
      expect(await callsOf(id)).toEqual([]);
      sftp.behave();
      await untilIs(id, 'sent');
    },
  );

  it('a file that is there already is the one of an attempt before', async () => {
    const onDisk = (path: string) => join(sftp.folder, path);
    sftp.obey(async ({ does, path }) => {
      if (does !== 'rename') return undefined;
      await rename(onDisk(path), join(outFolder(), `${await transactionOf(stack, id)}.pdf`));
      return 'cut';
    });
    const id = await rejected(stack, { documents: [main] });
    await ask(stack, id);
    await until(id, ({ fault }) => fault === 'cut');
    sftp.behave();
    await untilIs(id, 'sent');
    expect(await outFile(id, '.pdf')).toEqual(PDF);
    expect(sftp.requests.map(({ does }) => does)).not.toContain('write');
  });

  it('after 72 hours it is given up, and nobody has told what became of the letter', async () => {
    service.misbehave('fault', 1_000);
    const id = await rejected(stack);
    await ask(stack, id);
    await until(id, ({ attempts }) => attempts > 0);
    await stack.sql(`UPDATE onward_distributions SET at = at - interval '72 hours' WHERE message_id = $1`, [id]);
    await stack.sql(`UPDATE messages SET outcome_at = outcome_at - interval '72 hours' WHERE id = $1`, [id]);
    const message = await untilIs(id, 'failed');
    expect(message.sentOn).toMatchObject({ fault: 'fault-server' });
    expect(message.rejection?.outcome).toBeNull();
    expect(message.history.at(-1)).toMatchObject({ action: 'distribution-failed', by: 'indbakke' });
    expect(message.allowed).toEqual(expect.arrayContaining(['distribution-asked', 'deleted', 'reopened']));
  });

  it('a letter without content is given up at once', async () => {
    const id = await rejected(stack);
    await stack.sql('DELETE FROM message_keys WHERE message_id = $1', [id]);
    await ask(stack, id);
    expect((await untilIs(id, 'failed')).sentOn).toMatchObject({ fault: 'content-gone', attempts: 1 });
  });

  it('what Fordelingskomponenten refuses is not tried again, but can be asked for anew', async () => {
    service.misbehave('refuse');
    const id = await rejected(stack);
    await ask(stack, id);
    const refused = await untilIs(id, 'rejected');
    expect(refused.sentOn?.technicalReceipt).toEqual({ code: 'AFVIST', reason: SECRET_TEXT });
    expect(refused.rejection?.outcome).toBeNull();
    expect(JSON.stringify(refused.history)).not.toContain(SECRET_TEXT);
    const first = await transactionOf(stack, id);
    expect((await ask(stack, id)).status).toBe(200);
    await untilIs(id, 'sent');
    expect(await transactionOf(stack, id)).not.toBe(first);
  });
});

describe('a receipt that comes back', () => {
  it.each<[string, OnwardStatus]>([
    ['ACCEPTERET', 'accepted'],
    ['AFVIST', 'rejected'],
    ['FEJLET', 'failed'],
    ['MODTAGET', 'sent'],
    ['AFLEVERET', 'sent'],
  ])('of the recipient with %s makes it %s', async (code, status) => {
    const id = await sent();
    const response = await answer(id, { code, reason: 'Fordi' });
    const xml = await response.text();
    expect(response.status, xml).toBe(200);
    for (const check of checks) expect(await check.faultsOf([xml])).toEqual([undefined]);
    const message = await read(stack, id);
    expect(message.sentOn).toMatchObject({ status, businessReceipt: { code, reason: 'Fordi' } });
    expect(message.history.at(-1)).toMatchObject({
      action: 'distribution-answered',
      details: { kind: 'business', code },
    });
    expect(message.rejection?.outcome === null).toBe(status === 'rejected' || status === 'failed');
  });

  it('again changes nothing; another one does', async () => {
    const id = await sent();
    await answer(id, { code: 'AFVIST', reason: 'Ikke vores' });
    const before = await read(stack, id);
    expect((await answer(id, { code: 'AFVIST', reason: 'Ikke vores' })).status).toBe(200);
    expect(await read(stack, id)).toEqual({ ...before, ageHours: expect.any(Number) });
    await answer(id, { code: 'ACCEPTERET' });
    expect((await read(stack, id)).sentOn).toMatchObject({ status: 'accepted', businessReceipt: { reason: null } });
  });

  it.each(['Teknisk', 'Digital post'])(
    'of the kind %s tells whether it gets there, and never undoes what the recipient said',
    async (kind) => {
      const id = await sent();
      await answer(id, { kind, code: 'ACCEPTERET' });
      expect((await read(stack, id)).sentOn).toMatchObject({
        status: 'sent',
        technicalReceipt: { code: 'ACCEPTERET' },
        businessReceipt: null,
      });
      await answer(id, { code: 'ACCEPTERET' });
      await answer(id, { kind, code: 'AFVIST' });
      expect((await read(stack, id)).sentOn).toMatchObject({
        status: 'accepted',
        technicalReceipt: { code: 'AFVIST' },
      });
      const other = await sent();
      await answer(other, { kind, code: 'AFVIST', reason: 'Ukendt modtager' });
      expect((await read(stack, other)).sentOn).toMatchObject({ status: 'rejected' });
    },
  );

  it('may come before the answer to the call', async () => {
    service.misbehave('cut', 1_000);
    const id = await rejected(stack);
    await ask(stack, id);
    await until(id, ({ attempts }) => attempts > 0);
    await answer(id, { kind: 'Teknisk', code: 'ACCEPTERET' });
    const message = await read(stack, id);
    expect(message.sentOn?.status).toBe('sent');
    expect(message.history.at(-1)?.action).toBe('distribution-sent');
  });

  it.each([
    ['of another transaction', { transactionId: randomUUID() }],
    ['to another recipient', { recipient: '44444444' }],
    ['of another municipality', { sender: VESTERSUND }],
    ['of a municipality that is not here', { sender: '99999999' }],
  ])('%s is answered with a fault, and changes nothing', async (_what, wrong) => {
    const id = await sent();
    const before = await read(stack, id);
    const response = await answer(id, wrong);
    const xml = await response.text();
    expect(response.status).toBe(500);
    expect(xml).toContain('<faultcode>soap:Client</faultcode>');
    expect(xml).toContain('<TransportValideringsKode>FEJL</TransportValideringsKode>');
    expect(xml).toContain('<FejlKode>unknown-transaction</FejlKode>');
    for (const check of checks) expect(await check.faultsOf([xml])).toEqual([undefined]);
    expect((await read(stack, id)).version).toBe(before.version);
  });

  it.each([
    ['without a code', /<d:ForretningsValideringsKode>.*<\/d:ForretningsValideringsKode>/, ''],
    ['with a code that is none', 'ACCEPTERET', 'JA'],
    ['with a kind that is none', '>Forretning<', '>Andet<'],
    ['without a transaction', /<d:AnvenderTransaktionsID>.*<\/d:AnvenderTransaktionsID>/, ''],
  ])('%s is answered with a fault', async (_what, pattern, replacement) => {
    const id = await sent();
    const xml = writeReceipt({ transactionId: await transactionOf(stack, id) }).replace(pattern, replacement);
    const response = await distribute(stack.url, xml);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('<FejlKode>not-sf2900</FejlKode>');
    expect((await read(stack, id)).sentOn?.businessReceipt).toBeNull();
    expect(await stack.sql('SELECT FROM quarantine_entries')).toEqual([]);
  });

  it.each<[string, (xml: string) => string]>([
    ['with the other spelling', (xml) => xml.replaceAll('Forretningskvittering>', 'ForretningsKvittering>')],
    [
      'with types of version 3 inside',
      (xml) =>
        xml
          .replace('<d:Forretningskvittering>', `<v:Forretningskvittering xmlns:v="${TYPES_3}">`)
          .replace('</d:Forretningskvittering>', '</v:Forretningskvittering>'),
    ],
    ['without namespaces inside', (xml) => xml.replaceAll(/<(\/?)d:(?!FordelingskvitteringModtag)/g, '<$1')],
    ['with upper-case ids', (xml) => xml.replace(/(?<=AnvenderTransaktionsID>)[^<]+/, (id) => id.toUpperCase())],
  ])('%s is read too', async (_what, change) => {
    const id = await sent();
    const xml = change(writeReceipt({ transactionId: await transactionOf(stack, id) }));
    const response = await distribute(stack.url, xml);
    expect(response.status, await response.text()).toBe(200);
    expect((await read(stack, id)).sentOn?.status).toBe('accepted');
  });

  it('after the letter was deleted is recorded without its words, and of the rest nothing personal is left', async () => {
    const id = await sent({ ...BODY, title: 'Brev om hegn' });
    const { version } = await read(stack, id);
    const body = { sentOn: true, senderInformed: false };
    await change(stack, 'POST', `${id}/deletion`, { version, body });
    expect(await stack.sql('SELECT FROM onward_distribution_texts WHERE message_id = $1', [id])).toEqual([]);

    const response = await answer(id, { code: 'AFVIST', reason: 'Bo Testesen bor her ikke' });

    expect(response.status, await response.text()).toBe(200);
    const [row] = await stack.sql('SELECT status, business_code FROM onward_distributions WHERE message_id = $1', [id]);
    expect(row).toEqual({ status: 'rejected', business_code: 'AFVIST' });
    expect(await stack.sql('SELECT FROM onward_distribution_texts WHERE message_id = $1', [id])).toEqual([]);
  });
});

it('a training municipality sends nothing on', async () => {
  const cvr = '55555555';
  await stack.sql(
    `INSERT INTO municipalities (cvr, name, is_training, training_since) VALUES ($1, 'Øvelse', true, now())`,
    [cvr],
  );
  const as = { municipality: cvr };
  const id = await deliverMemo(stack, { recipient: { id: cvr } });
  const reject = { as, version: 1, body: { reason: 'other', explanation: 'Øvelse' } };
  await change(stack, 'POST', `${id}/rejection`, reject);
  await change(stack, 'POST', `${id}/distribution`, { as, version: 2, body: BODY });
  expect((await read(stack, id, as)).sentOn).toMatchObject({ status: 'sent', technicalReceipt: null });
  expect(await callsOf(id)).toEqual([]);
});

describe('where it is off, which is the default,', () => {
  it('nobody has the role', async () => {
    const off = await startTestStack();
    const id = await rejected(off);
    expect((await read(off, id)).allowed).not.toContain('distribution-asked');
    const problem = await expectProblem(await ask(off, id), 403, 'role-missing');
    expect(problem.detail).toContain('SF2900_SENDING');
    await off.close();
  });

  it.each([
    ['SF2900', { SF2900: 'off' }],
    ['SF2900_SFTP_HOST', { SF2900_SFTP_HOST: undefined }],
    ['SF2900_SERVICE_URL', { SF2900_SERVICE_URL: undefined }],
    ['SF2900_SYSTEM_ID', { SF2900_SYSTEM_ID: undefined }],
  ])('it cannot be on without %s', async (setting, missing) => {
    const env = {
      ...sftpEnv(sftp),
      SF2900_SENDING: 'on',
      SF2900_SYSTEM_ID: SYSTEM_ID,
      SF2900_SERVICE_URL: service.url,
    };
    await expect(startTestStack({ ...env, ...missing })).rejects.toThrow(new RegExp(`^[^:]*${setting}\\b`));
  });
});

it('leaves nothing unfinished on the SFTP server', async () => {
  const names = await readdir(outFolder());
  expect(names.filter((name) => !/^[\da-f-]{36}\.[a-z]+$/.test(name))).toEqual([]);
});
