import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { CONTACT_POINT, ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { endOfWorkingDay } from '../../../shared/src/working-days/index.js';
import { auditOf, awaitSuggestion, list, read } from '../../../shared/test/inbox/support.js';
import { binaryFile, named, newMemo, receiptOf, replyTo, TRICKY_SIZES, xmlOf } from './support/memos.js';
import { deliveryHead, openConnection } from './support/raw-http.js';
import { contentFiles, messageOf } from './support/stored.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MINUTE = 60 * 1_000;
const DAY = 24 * 60 * MINUTE;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

describe('the receipt', () => {
  test('is COMPLETED, with the message’s id in lower case and a new transmission id', async () => {
    const messageUUID = randomUUID().toUpperCase();
    const before = Date.now();

    const answer = await stack.deliver(writeMemo({ messageUUID }));

    const receipt = await receiptOf(answer);
    expect(answer.status).toBe(200);
    expect(Object.keys(receipt)).toEqual(['transmissionId', 'messageUUID', 'timeStamp', 'receiptStatus']);
    expect(receipt).toMatchObject({ messageUUID: messageUUID.toLowerCase(), receiptStatus: 'COMPLETED' });
    expect(receipt.transmissionId).toMatch(UUID_V7);
    expect(Date.parse(receipt.timeStamp)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(receipt.timeStamp)).toBeLessThanOrEqual(Date.now());
  });

  test.each(['*/*', 'application/xml', 'text/xml', 'text/html', 'application/xml, application/json;q=0.5'])(
    'is XML when the caller accepts %s',
    async (accept) => {
      const { messageUUID, ...memo } = newMemo({});

      const answer = await stack.deliver(writeMemo({ messageUUID, ...memo }), { accept });

      expect(answer.headers.get('content-type')).toMatch(/^application\/xml\b/);
      const { transmission_id, received_at } = await messageOf(stack, messageUUID);
      expect(await answer.text()).toBe(
        `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Receipt>
  <transmissionId>${transmission_id}</transmissionId>
  <messageUUID>${messageUUID}</messageUUID>
  <timeStamp>${received_at.toISOString()}</timeStamp>
  <receiptStatus>COMPLETED</receiptStatus>
</Receipt>
`,
      );
    },
  );

  test.each(['application/json', 'application/json, application/xml;q=0.1'])(
    'is JSON when the caller accepts %s',
    async (accept) => {
      const answer = await stack.deliver(writeMemo(), { accept });

      expect(answer.headers.get('content-type')).toMatch(/^application\/json\b/);
      expect((await receiptOf(answer)).receiptStatus).toBe('COMPLETED');
    },
  );

  test('echoes the transaction headers of Digital Post', async () => {
    const id = randomUUID();
    const headers = { 'x-TransaktionsId': id, 'x-TransaktionsTid': '2026-11-20T08:00:00Z' };

    const answer = await stack.deliver(writeMemo(), headers);

    expect(answer.headers.get('x-TransaktionsId')).toBe(id);
    expect(answer.headers.get('x-TransaktionsTid')).toBe('2026-11-20T08:00:00Z');
    expect(answer.headers.get('x-correlation-id')).toBe(id);
  });

  test('does not echo a transaction header that is not an id', async () => {
    const answer = await stack.deliver(writeMemo(), { 'x-TransaktionsId': '<script>' });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-TransaktionsId')).toBeNull();
  });
});

describe('the rows', () => {
  test('contain the message, its details, documents, files, references, key, event and audit event', async () => {
    const answered = randomUUID();
    const memo = newMemo({
      ...replyTo(answered),
      representative: { id: '77777777', idType: 'CVR', name: 'Advokat Testesen' },
      replyBy: '2026-11-30T12:00:00Z',
      contactPointId: CONTACT_POINT,
      contactInfo: [{ label: 'Barnets CPR-nummer', value: '4103139999' }],
      concerning: { cpr: '4103139999', name: 'Barn Testesen' },
      createdDateTime: '2026-11-02T08:12:00Z',
      documents: [
        { label: 'Brev', files: [binaryFile(10), binaryFile(100_000)] },
        { label: 'Bilag', files: [binaryFile(0)] },
      ],
    });

    await stack.deliver(writeMemo(memo));

    const message = await messageOf(stack, memo.messageUUID);
    expect(message).toMatchObject({
      municipality: ODENSKOV,
      channel: 'sf1606',
      external_id: memo.messageUUID,
      kind: 'reply',
      contact_point_id: CONTACT_POINT,
      letter_at: new Date('2026-11-02T08:12:00Z'),
      document_count: 2,
      file_count: 3,
      content_size: '100010',
      attachment_count: 1,
      has_media: false,
      reply_by: new Date('2026-11-30T12:00:00Z'),
      concern_marked_at: null,
      concern_marked_by: null,
      concern_assess_by: null,
      concern_confirm_by: null,
      remarks: [{ code: 'empty-element', path: 'Message/MessageBody/AdditionalDocument/File/content' }],
      status: 'pending',
      held_cause: null,
      status_before: null,
      status_at: message.received_at,
      status_by: 'serviceplatformen',
      version: 1,
    });
    expect(message.fingerprint).toHaveLength(32);

    const rows = (table: string, order: string) =>
      stack.sql(`SELECT * FROM ${table} WHERE message_id = $1 ORDER BY ${order}`, [message.id]);
    const shared = { message_id: message.id, municipality: ODENSKOV };
    expect(await rows('message_details', 'message_id')).toEqual([
      {
        ...shared,
        subject: 'SV: Afgørelse',
        sender_id: '4101019999',
        sender_id_type: 'CPR',
        sender_name: 'Test Testesen',
        representative_id: '77777777',
        representative_id_type: 'CVR',
        representative_name: 'Advokat Testesen',
        concerning_id: '4103139999',
        concerning_name: 'Barn Testesen',
        contact_info: [{ label: 'Barnets CPR-nummer', value: '4103139999' }],
        exemption: null,
        parties: [],
        reason_for_sender: null,
        original_format: 'memo',
        original: expect.any(Buffer),
        rejection_text: null,
        forwarded_to: null,
        sender_informed: null,
      },
    ]);
    expect(await rows('documents', 'position')).toEqual([
      { ...shared, position: 0, role: 'main', document_id: null, label: 'Brev' },
      { ...shared, position: 1, role: 'additional', document_id: null, label: 'Bilag' },
    ]);
    const files = memo.documents.flatMap(({ files: of }, document_position) =>
      of.map((file) => ({ ...file, document_position })),
    );
    expect(await rows('files', 'position')).toEqual(
      files.map(({ name, type, content, document_position }, position) => ({
        ...shared,
        id: expect.stringMatching(UUID_V7),
        document_position,
        position,
        file_name: name,
        encoding_format: type,
        detected_format: null,
        language: 'da',
        status: 'stored',
        size: String(content.length),
        sha256: createHash('sha256').update(content).digest(),
        crc32: String(crc32(content)),
        container_index: position,
        container_offset: expect.stringMatching(/^\d+$/),
        scan: null,
        scan_finding: null,
        scan_attempts: 0,
      })),
    );
    const reference = (position: number, kind: string, value: string) => ({ ...shared, position, kind, value });
    const [, ownEntry] = memo.replyData ?? [];
    expect(await rows('reply_references', 'position')).toEqual([
      reference(0, 'message-uuid', answered),
      reference(1, 'message-uuid', ownEntry?.messageUUID ?? ''),
      reference(2, 'case-id', 'SAG-1'),
    ]);
    expect(await rows('message_keys', 'message_id')).toEqual([
      { ...shared, key_id: expect.stringMatching(/^master-/), wrapped_key: expect.any(Buffer) },
    ]);
    expect(await rows('events', 'version')).toMatchObject([
      { ...shared, type: 'accepted', status: 'pending', version: 1, at: message.received_at },
    ]);
    expect(await rows('audit_events', 'at')).toMatchObject([
      {
        ...shared,
        at: message.received_at,
        actor_kind: 'system',
        actor: 'serviceplatformen',
        on_behalf_of: null,
        action: 'accepted',
        details: { channel: 'sf1606', remarks: 1, files: 3 },
      },
    ]);
    expect(await contentFiles(stack)).toContain(message.blob_name);
    expect(await rows('message_contents', 'message_id')).toEqual([]);
  });

  test('of an enquiry have no references and await no suggestion run', async () => {
    const memo = newMemo({});

    await stack.deliver(writeMemo(memo));

    const { id, kind, suggestion_run_at } = await messageOf(stack, memo.messageUUID);
    expect({ kind, suggestion_run_at }).toEqual({ kind: 'enquiry', suggestion_run_at: expect.any(Date) });
    expect(await stack.sql('SELECT FROM reply_references WHERE message_id = $1', [id])).toEqual([]);
  });

  test('of a reply lead to a suggestion run', async () => {
    const memo = newMemo(replyTo(randomUUID()));

    await stack.deliver(writeMemo(memo));

    await awaitSuggestion(stack, (await messageOf(stack, memo.messageUUID)).id);
    expect(await messageOf(stack, memo.messageUUID)).toMatchObject({ suggestion_run_at: expect.any(Date) });
  });

  test('contain the contact info of the recipient’s contact point, then of the sender’s', async () => {
    const memo = newMemo({ contactPointId: CONTACT_POINT, contactInfo: [{ label: 'Barnets navn', value: '' }] });
    const info = '<memo:ContactInfo><memo:value>Lille By Skole</memo:value></memo:ContactInfo>';
    const xml = xmlOf(memo).replace('</memo:Sender>', `<memo:ContactPoint>${info}</memo:ContactPoint></memo:Sender>`);

    await stack.deliver(xml);

    const { id } = await messageOf(stack, memo.messageUUID);
    expect((await read(stack, id)).contactInfo).toEqual([
      { label: 'Barnets navn', value: '' },
      { label: '', value: 'Lille By Skole' },
    ]);
  });

  test('contain technical documents last, and the sender’s own ids of documents', async () => {
    const memo = newMemo({ documents: [textDocument('Brev'), textDocument('Data'), textDocument('Bilag')] });
    const id = (kind: string) => `<memo:${kind}DocumentID>${kind}-7</memo:${kind}DocumentID>`;
    const xml = xmlOf(memo)
      .replace('<memo:MainDocument>', (tag) => `${tag}${id('main')}`)
      .replace('<memo:AdditionalDocument>', `<memo:TechnicalDocument>${id('technical')}`)
      .replace('</memo:AdditionalDocument>', '</memo:TechnicalDocument>')
      .replace('<memo:AdditionalDocument>', (tag) => `${tag}${id('additional')}`);

    await stack.deliver(xml);

    const { id: messageId } = await messageOf(stack, memo.messageUUID);
    const { documents, attachmentCount } = await read(stack, messageId);
    expect(attachmentCount).toBe(1);
    expect(documents.map(({ role, documentId, files }) => [role, documentId, files.length])).toEqual([
      ['main', 'main-7', 1],
      ['additional', 'additional-7', 1],
      ['technical', 'technical-7', 1],
    ]);
  });

  test('of one municipality are invisible to another', async () => {
    const memo = newMemo({ recipient: { id: '33333333' } });

    await stack.deliver(writeMemo(memo));

    expect((await messageOf(stack, memo.messageUUID)).municipality).toBe('33333333');
    const { id } = await messageOf(stack, memo.messageUUID);
    expect((await stack.call('GET', `/incoming-documents/${id}`)).status).toBe(404);
  });
});

describe('the files', () => {
  test('read through the API are byte for byte what was sent', async () => {
    const files = TRICKY_SIZES.map(binaryFile);
    const memo = newMemo({ documents: [{ files: files.slice(0, 4) }, { files: files.slice(4) }] });

    await stack.deliver(writeMemo(memo));

    const { id } = await messageOf(stack, memo.messageUUID);
    const { documents } = await read(stack, id);
    const stored = documents.flatMap((document) => document.files);
    expect(stored.map(({ fileName }) => fileName)).toEqual(files.map(({ name }) => name));
    for (const [position, file] of stored.entries()) {
      const answer = await stack.call('GET', `/incoming-documents/${id}/files/${file.id}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(bytes.equals(files[position]?.content as Buffer)).toBe(true);
    }
  });

  test('are encrypted on disk', async () => {
    const secret = 'En hemmelighed som ingen må se. '.repeat(3_000);
    const memo = newMemo({ documents: [textDocument(secret)] });

    await stack.deliver(writeMemo(memo));

    const { blob_name } = await messageOf(stack, memo.messageUUID);
    const blob = await readFile(`${stack.contentFolder}/${blob_name?.slice(0, 2)}/${blob_name}`);
    expect(blob.length).toBeGreaterThan(secret.length);
    expect(blob.includes('hemmelighed')).toBe(false);
  });

  test('are in the database when they are small, encrypted too', async () => {
    const secret = 'En hemmelighed som ingen må se. '.repeat(100);
    const memo = newMemo({ documents: [textDocument(secret)] });

    await stack.deliver(writeMemo(memo));

    const { id } = await messageOf(stack, memo.messageUUID);
    const [row] = await stack.sql<{ container: Buffer }>(
      'SELECT container FROM message_contents WHERE message_id = $1',
      [id],
    );
    expect(row?.container.length).toBeGreaterThan(secret.length);
    expect(row?.container.includes('hemmelighed')).toBe(false);
    const [file] = (await read(stack, id)).documents.flatMap((document) => document.files);
    const content = await stack.call('GET', `/incoming-documents/${id}/files/${file?.id}`);
    expect(await content.text()).toBe(secret);
  });

  test('without content are stored as missing, the others complete', async () => {
    const memo = newMemo({ documents: [textDocument('Brev', 'brev.txt'), textDocument('Bilag', 'bilag.txt')] });
    const xml = xmlOf(memo).replace(/<memo:content>[^<]*<\/memo:content>/, '');

    const answer = await stack.deliver(xml);

    expect(answer.status).toBe(200);
    const { id, remarks } = await messageOf(stack, memo.messageUUID);
    expect(remarks).toEqual([{ code: 'missing-element', path: 'Message/MessageBody/MainDocument/File/content' }]);
    const [missing, whole] = (await read(stack, id)).documents.flatMap((document) => document.files);
    expect(missing).toMatchObject({ fileName: 'brev.txt', status: 'missing', size: 0, sha256: null });
    expect(whole).toMatchObject({ fileName: 'bilag.txt', status: 'stored', size: 5 });
    const bytes = await stack.call('GET', `/incoming-documents/${id}/files/${whole?.id}`);
    expect(await bytes.text()).toBe('Bilag');
  });
});

describe('the kind', () => {
  const ofSomebodyElse = { messageUUID: randomUUID(), senderID: '77777777', recipientID: '4101019999' };
  const cases: { what: string; memo: MemoSpec; kind: string }[] = [
    { what: 'a message without reply data is enquiry', memo: {}, kind: 'enquiry' },
    { what: 'an answer to a message is reply', memo: replyTo(randomUUID()), kind: 'reply' },
    {
      what: 'a message whose only reply data names the municipality as sender is reply',
      memo: { replyData: [{ messageUUID: randomUUID(), senderID: ODENSKOV }] },
      kind: 'reply',
    },
    {
      what: 'a message with reply data of another authority is enquiry',
      memo: { replyData: [ofSomebodyElse] },
      kind: 'enquiry',
    },
    { what: 'a forwarded message is forwarded', memo: { forwardedFrom: 'Anden Myndighed' }, kind: 'forwarded' },
    {
      what: 'a forwarded message with reply data is forwarded',
      memo: { ...replyTo(randomUUID()), forwardedFrom: 'Anden Myndighed' },
      kind: 'forwarded',
    },
  ];
  test.each(named(cases))('of %s', async (_what, { memo, kind }) => {
    const sent = newMemo(memo);

    await stack.deliver(writeMemo(sent));

    expect((await messageOf(stack, sent.messageUUID)).kind).toBe(kind);
  });
});

describe('the date of a message', () => {
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE).toISOString();
  const plausible = [
    { what: 'its own', created: '2026-11-02T08:12:00Z' },
    { what: 'its own, as early as 2000', created: '2000-01-01T00:00:00Z' },
    { what: 'its own, of a minute ago', created: inMinutes(-1) },
  ];
  test.each(named(plausible))('is %s', async (_what, { created }) => {
    const memo = newMemo({ createdDateTime: created });

    await stack.deliver(writeMemo(memo));

    expect((await messageOf(stack, memo.messageUUID)).letter_at).toEqual(new Date(created));
  });

  const implausible = [
    { what: 'before Digital Post', created: '0001-01-01T00:00:00Z', remark: 'dated-before-2000' },
    { what: 'a little after the receipt, as clocks differ', created: inMinutes(3), remark: undefined },
    { what: 'after the receipt', created: inMinutes(10), remark: 'dated-after-receipt' },
    { what: 'in another time zone after the receipt', created: '2999-01-01T00:00:00+14:00', remark: 'wrong-date' },
    { what: 'no date', created: 'i går', remark: 'wrong-date' },
    { what: 'a day that does not exist', created: '2026-02-30T08:00:00Z', remark: 'wrong-date' },
  ];
  test.each(named(implausible))('is the time of receipt when its own is %s', async (_what, { created, remark }) => {
    const memo = newMemo({ createdDateTime: created });

    const answer = await stack.deliver(writeMemo(memo));

    const { letter_at, received_at, remarks } = await messageOf(stack, memo.messageUUID);
    expect(answer.status).toBe(200);
    expect(letter_at).toEqual(received_at);
    expect(remarks[0]).toEqual(remark && { code: remark, path: 'Message/MessageBody/createdDateTime' });
  });
});

describe('when the message says that it was sent', () => {
  const times = ['2026-11-02T08:12:00.000Z', '0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.000Z'];
  test.each(times)('is kept, shown and in the log, as it says: %s', async (createdDateTime) => {
    const memo = newMemo({ createdDateTime });

    await stack.deliver(writeMemo(memo));

    const { id, received_at, first_offered_at } = await messageOf(stack, memo.messageUUID);
    const shown = await read(stack, id);
    expect(shown.sentAt).toBe(createdDateTime);
    const times = {
      sentAt: createdDateTime,
      firstOfferedAt: first_offered_at.toISOString(),
      receivedAt: received_at.toISOString(),
    };
    expect(shown).toMatchObject(times);
    expect(await auditOf(stack, { messageId: id })).toMatchObject([{ action: 'accepted', details: times }, {}]);
  });

  test.each(['0001-01-01T00:00:00+01:00', 'i går'])('is not known of %s', async (createdDateTime) => {
    const memo = newMemo({ createdDateTime });

    expect((await stack.deliver(writeMemo(memo))).status).toBe(200);

    const { id } = await messageOf(stack, memo.messageUUID);
    expect((await read(stack, id)).sentAt).toBeNull();
  });

  test('is its own date of a message from before it was kept', async () => {
    const memo = newMemo({ createdDateTime: '2026-11-02T08:12:00.000Z' });
    await stack.deliver(writeMemo(memo));
    const { id } = await messageOf(stack, memo.messageUUID);
    await stack.sql('UPDATE messages SET sent_at = NULL WHERE id = $1', [id]);
    expect((await read(stack, id)).sentAt).toBe('2026-11-02T08:12:00.000Z');
  });
});

describe('the time that the sender wants an answer by', () => {
  const inYears = (years: number) => new Date(Date.now() + years * 365 * DAY).toISOString();
  const replyByOf = async (replyBy: string) => {
    const memo = newMemo({ replyBy });
    await stack.deliver(writeMemo(memo));
    const { reply_by, remarks } = await messageOf(stack, memo.messageUUID);
    return { reply_by, remarks: remarks.map(({ code, path }) => `${code} ${path}`) };
  };

  test.each(['2026-11-30T12:00:00Z', '2000-01-01T00:00:00Z', inYears(9)])('is kept when it is %s', async (replyBy) => {
    expect(await replyByOf(replyBy)).toEqual({ reply_by: new Date(replyBy), remarks: [] });
  });

  test.each([
    ['0001-01-01T00:00:00Z', 'implausible-reply-by'],
    [inYears(11), 'implausible-reply-by'],
    ['9999-12-31T23:59:59Z', 'implausible-reply-by'],
    ['snarest', 'wrong-date'],
  ])('is not kept when it is %s, with the remark %s', async (replyBy, code) => {
    const remarks = [`${code} Message/MessageHeader/replyByDateTime`];
    expect(await replyByOf(replyBy)).toEqual({ reply_by: null, remarks });
  });
});

describe('a message is late', () => {
  const LATE_AFTER = { 3: ODENSKOV, 30: '55555555' } as const;
  beforeAll(() =>
    registerMunicipality(stack.ownerUrl, { cvr: LATE_AFTER[30], name: 'Sen', lateAfterDays: 30, contactPoints: [] }),
  );

  test.each([
    { after: 3, days: 2.99, late: false },
    { after: 3, days: 3.01, late: true },
    { after: 30, days: 29.99, late: false },
    { after: 30, days: 30.01, late: true },
  ] as const)('after $after days, so after $days: $late', async ({ after, days, late }) => {
    const createdDateTime = new Date(Date.now() - days * DAY).toISOString();
    const memo = newMemo({ createdDateTime, recipient: { id: LATE_AFTER[after] } });

    await stack.deliver(writeMemo(memo));

    expect(await messageOf(stack, memo.messageUUID)).toMatchObject({ late });
  });

  test('not when its own date is implausible', async () => {
    const memo = newMemo({ createdDateTime: '0001-01-01T00:00:00Z' });

    await stack.deliver(writeMemo(memo));

    expect(await messageOf(stack, memo.messageUUID)).toMatchObject({ late: false });
  });
});

describe('what a list shows of a message', () => {
  const summaryOf = async (memo: MemoSpec & { messageUUID: string }) => {
    await stack.deliver(writeMemo(memo));
    return read(stack, (await messageOf(stack, memo.messageUUID)).id);
  };

  test('counts attachments, not their formats, and finds sound among all files', async () => {
    const text = { name: 'brev.txt', type: 'text/plain', content: Buffer.from('Brev') };
    const sound = { name: 'Optagelse.M4A', type: 'application/octet-stream', content: Buffer.from('lyd') };
    const documents = [{ files: [text] }, { files: [text, sound] }, { files: [text] }];

    expect(await summaryOf(newMemo({ documents }))).toMatchObject({
      documentCount: 3,
      attachmentCount: 2,
      fileCount: 4,
      hasMedia: true,
    });
  });

  test('names the representative of the sender; without id and name there is none', async () => {
    const { sender } = await summaryOf(newMemo({ representative: { name: 'Advokat Testesen' } }));
    expect(sender.representative).toEqual({ id: null, idType: null, name: 'Advokat Testesen' });
    const without = await summaryOf(newMemo({ representative: { id: '', idType: 'CVR', name: '' } }));
    expect(without.sender.representative).toBeNull();
  });

  test('shows whom it concerns by what was filled in for the contact point', async () => {
    const contactInfo = [
      { label: 'Barnets navn', value: 'Barn Testesen' },
      { label: 'Barnets CPR-nummer', value: '410313-9999' },
    ];
    const memo = newMemo({ contactPointId: CONTACT_POINT, contactInfo });
    expect((await summaryOf(memo)).concerning).toEqual({ id: '4103139999', name: 'Barn Testesen' });
  });

  test('shows whom it concerns by name when there is no CPR number', async () => {
    const contactInfo = [{ label: 'Barnets navn', value: 'Barn Testesen' }];
    const memo = newMemo({ contactPointId: CONTACT_POINT, contactInfo });
    expect((await summaryOf(memo)).concerning).toEqual({ id: null, name: 'Barn Testesen' });
  });
});

describe('a message to a contact point of concern', () => {
  const CONCERN_POINT = '5f0c5d3e-6a0c-4f6e-9d6a-3f1f0f6f7a11';
  beforeAll(() =>
    registerMunicipality(stack.ownerUrl, {
      cvr: ODENSKOV,
      contactPoints: [{ id: CONCERN_POINT, name: 'Underretninger', isConcern: true }],
    }),
  );

  test('is marked at its receipt, with both clocks, and the event has their times', async () => {
    const memo = newMemo({ contactPointId: CONCERN_POINT.toUpperCase() });

    await stack.deliver(writeMemo(memo));

    const message = await messageOf(stack, memo.messageUUID);
    const assessBy = new Date(message.received_at.getTime() + DAY);
    const confirmBy = endOfWorkingDay(message.received_at, 6);
    expect(message).toMatchObject({
      concern_marked_at: message.received_at,
      concern_marked_by: 'serviceplatformen',
      concern_assess_by: assessBy,
      concern_assessed_at: null,
      concern_confirm_by: confirmBy,
      concern_confirmed_at: null,
      version: 1,
    });
    const times = { assessBy: assessBy.toISOString(), confirmBy: confirmBy.toISOString() };
    const details = {
      channel: 'sf1606',
      remarks: 0,
      files: 1,
      sentAt: '2026-11-02T08:12:00.000Z',
      firstOfferedAt: message.first_offered_at.toISOString(),
      receivedAt: message.received_at.toISOString(),
      ...times,
    };
    for (const table of ['events', 'audit_events']) {
      expect(await stack.sql(`SELECT details FROM ${table} WHERE message_id = $1`, [message.id])).toEqual([
        { details },
      ]);
    }
    expect((await read(stack, message.id)).concern).toEqual({
      markedAt: message.received_at.toISOString(),
      markedBy: 'serviceplatformen',
      ...times,
      assessedAt: null,
      confirmedAt: null,
    });
  });
});

describe('a message whose upload is slow', () => {
  test('is received when it is whole, so that who asks by time gets it', async () => {
    const [slow, quick] = [newMemo({}), newMemo({})];
    const xml = writeMemo(slow);
    const connection = await openConnection(stack.url);
    const began = Date.now();
    await connection.send(deliveryHead(['Content-Type: application/xml', `Content-Length: ${xml.length}`]));
    await connection.send(xml.subarray(0, 500));
    await stack.deliver(writeMemo(quick));
    const seen = await messageOf(stack, quick.messageUUID);

    await connection.send(xml.subarray(500));

    expect((await connection.answer()).status).toBe(200);
    connection.close();
    const since = seen.received_at.toISOString();
    const { items } = await list(stack, `?sort=receivedAt&receivedFrom=${since}`);
    const found = items.find(({ externalId }) => externalId === slow.messageUUID);
    expect(found && found.receivedAt >= since).toBe(true);
    expect(found && found.firstOfferedAt < since).toBe(true);
    expect(Date.parse(found?.firstOfferedAt ?? '')).toBeGreaterThanOrEqual(began - 20); // of another clock
  });
});

describe('a held message', () => {
  const OFF = '44444444';
  beforeAll(() =>
    registerMunicipality(stack.ownerUrl, {
      cvr: OFF,
      name: 'Kommune der intet tager',
      takesReplies: false,
      takesEnquiries: false,
      contactPoints: [],
    }),
  );

  const held: { what: string; memo: MemoSpec; cause: string }[] = [
    { what: 'a reply', memo: { replyData: [{ messageUUID: randomUUID(), senderID: OFF }] }, cause: 'replies-off' },
    { what: 'an enquiry', memo: {}, cause: 'enquiries-off' },
    { what: 'a forwarded message', memo: { forwardedFrom: 'Anden Myndighed' }, cause: 'enquiries-off' },
  ];
  test.each(named(held))('is %s to a municipality that has it switched off', async (_what, { memo, cause }) => {
    const sent = newMemo({ ...memo, recipient: { id: OFF } });

    const answer = await stack.deliver(writeMemo(sent));

    expect(answer.status).toBe(200);
    const { id, ...message } = await messageOf(stack, sent.messageUUID);
    expect(message).toMatchObject({ status: 'held', held_cause: cause });
    expect(await stack.sql('SELECT type, status FROM events WHERE message_id = $1', [id])).toEqual([
      { type: 'held', status: 'held' },
    ]);
    expect(await stack.sql('SELECT action FROM audit_events WHERE message_id = $1', [id])).toEqual([
      { action: 'held' },
    ]);
  });

  test('gets no suggestion job', async () => {
    const memo = newMemo({ ...replyTo(randomUUID()), recipient: { id: OFF } });
    await stack.deliver(writeMemo(memo));

    const jobs = await stack.sql(`SELECT data FROM bullmq.job WHERE data::text LIKE '%' || $1 || '%'`, [
      (await messageOf(stack, memo.messageUUID)).id,
    ]);

    expect(jobs).toEqual([]);
  });
});
