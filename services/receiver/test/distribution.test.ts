import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DistributionSpec,
  distribute,
  writeDistribution,
} from '../../../infra/src/local/distribution/write-distribution.js';
import { openSchemaCheck, type SchemaCheck } from '../../../infra/src/testkit/distribution-schema.js';
import { ODENSKOV, startTestStack, type TestStack, type TokenOptions } from '../../../infra/src/testkit/stack.js';
import type { DocumentAnswer } from '../../../shared/src/api/index.js';
import { awaitSuggestion, read, SYSTEM } from '../../../shared/test/inbox/support.js';
import { contentFiles } from './support/stored.js';

const CHILD = '4101019999'; // no month has a 41st day
const EXAMPLE = fileURLToPath(
  new URL('../../../../shared/fixtures/examples/sf2900-modtag-request.xml', import.meta.url),
);

let stack: TestStack;
let schema: SchemaCheck;

beforeAll(async () => {
  stack = await startTestStack();
  schema = await openSchemaCheck();
});
afterAll(async () => {
  await schema.close();
  await stack.close();
});

interface Message extends Record<string, unknown> {
  readonly id: string;
}

/** Delivers it, checks the technical receipt, and reads the message. */
async function taken(spec: DistributionSpec): Promise<{ id: string; answer: DocumentAnswer }> {
  const transactionId = spec.transactionId ?? randomUUID();
  const response = await distribute(stack.url, writeDistribution({ ...spec, transactionId }));
  expect(codesIn(await response.text())).toEqual(['ACCEPTERET', 'Teknisk']);
  const [message] = await messagesOf(transactionId);
  const { id } = message as Message;
  return { id, answer: await read(stack, id) };
}

const messagesOf = (transactionId: string) =>
  stack.sql<Message>(
    'SELECT m.* FROM messages m JOIN distributions ON message_id = m.id WHERE transaction_id = $1 ORDER BY received_at',
    [transactionId],
  );

/** The code and the kind of a receipt. */
const codesIn = (xml: string) =>
  [...xml.matchAll(/<[\w:]*(?:ForretningsValideringsKode|Kvitteringstype)[^>]*>([^<]*)</g)].map(([, text]) => text);

describe('a document from Fordelingskomponenten', () => {
  it('is a message with the title, sending authority, KLE, parties, dates and exemption that it has', async () => {
    const objectId = randomUUID();

    const { answer } = await taken({
      objectId,
      fileName: 'udtalelse æøå.pdf',
      kle: '27.24.00',
      facet: 'G01',
      object: {
        type: 'DOKUMENT',
        title: 'Udtalelse om Søren',
        description: 'Fra klasselæreren',
        letterDate: '2026-01-15',
        deadline: '2026-01-30',
        exemption: { title: 'Udtalelse', law: 'Offentlighedsloven § 30' },
        parties: [
          { role: 'SekundaerPart', type: 'Person', text: 'Mor Testesen' },
          { role: 'PrimaerPart', type: 'Person', urn: `urn:oio:cpr-nr:${CHILD}` },
          { role: 'KopiModtager', type: 'Virksomhed', urn: 'urn:oio:cvr-nr:33333333' },
        ],
      },
    });

    expect(answer).toMatchObject({
      channel: 'sf2900',
      kind: 'enquiry',
      status: 'pending',
      subject: 'Udtalelse om Søren',
      sender: { id: '11111111', idType: 'CVR' },
      concerning: { id: CHILD },
      letterAt: '2026-01-14T23:00:00.000Z',
      replyBy: '2026-01-30T22:59:59.000Z',
      contactInfo: [
        { label: 'Beskrivelse', value: 'Fra klasselæreren' },
        { label: 'Dokumenttype', value: 'Brev' },
        { label: 'Dokumentnøgle', value: 'DOK-2026-000123' },
      ],
      remarks: [],
      documents: [
        {
          role: 'main',
          documentId: objectId,
          label: 'Udtalelse om Søren',
          files: [{ fileName: 'udtalelse æøå.pdf', encodingFormat: 'application/pdf', status: 'expected', size: 0 }],
        },
      ],
    });
    expect(answer.distribution).toMatchObject({
      objectType: 'DOKUMENT',
      objectId,
      kle: '27.24.00.G01',
      parties: [
        { role: 'secondary', type: 'person', id: null, name: 'Mor Testesen' },
        { role: 'primary', type: 'person', id: CHILD, name: null },
        { role: 'copy', type: 'organisation', id: '33333333', name: null },
      ],
      exemption: { title: 'Udtalelse', law: 'Offentlighedsloven § 30' },
      fileFetch: { status: 'waiting', attempts: 0, fault: null },
      receipts: [],
    });
  });

  it('keeps how it was addressed, for its receipts, and what file is to come', async () => {
    const [transactionId, distributionId, actor] = [randomUUID().toUpperCase(), randomUUID(), randomUUID()];

    const { id } = await taken({ transactionId, distributionId, routing: { actor }, fileName: 'a.pdf' });

    const kept = await stack.sql('SELECT * FROM distributions WHERE message_id = $1', [id]);
    expect(kept).toMatchObject([
      {
        municipality: ODENSKOV,
        object_type: 'DOKUMENT',
        transaction_id: transactionId.toLowerCase(),
        distribution_id: distributionId,
        sender: '11111111',
        routing_kle: null,
        routing_facet: null,
        routing_actor: actor,
      },
    ]);
    expect(
      await stack.sql(
        'SELECT t.status, t.attempts FROM file_fetches t JOIN files f ON f.id = t.id WHERE f.message_id = $1',
        [id],
      ),
    ).toEqual([{ status: 'waiting', attempts: 0 }]);
  });

  it('is stored once, however often it is delivered, with whatever id of Fordelingskomponenten and in whichever wrapper', async () => {
    const spec = { transactionId: randomUUID(), objectId: randomUUID(), fileName: 'a.pdf' };

    for (const wrapper of ['modtag', 'afsend', 'modtag'] as const) {
      await taken({ ...spec, wrapper, distributionId: randomUUID() });
    }

    expect(await messagesOf(spec.transactionId)).toHaveLength(1);
  });

  it('is another one, held, when the same ids come with something else', async () => {
    const spec = { transactionId: randomUUID(), objectId: randomUUID() };
    await taken({ ...spec, object: { type: 'DOKUMENT', title: 'Den ene' } });
    await distribute(stack.url, writeDistribution({ ...spec, object: { type: 'DOKUMENT', title: 'Den anden' } }));

    expect((await messagesOf(spec.transactionId)).map(({ held_cause }) => held_cause)).toEqual([null, 'conflict']);
  });

  it('is suggested for the case that its sender names, once the core knows that case', async () => {
    const caseId = randomUUID();
    const { id } = await taken({ suggestedCase: caseId.toUpperCase() });
    await awaitSuggestion(stack, id);
    await stack.call('PUT', `/cases/${caseId}`, { as: SYSTEM, body: { status: 'open', caseworker: 'anna' } });
    await awaitSuggestion(stack, id);

    expect(await read(stack, id)).toMatchObject({ kind: 'enquiry', suggestion: { caseId, basis: 'sag-forslag' } });
  });

  it('is suggested for nothing when its sender names what is no UUID, and says so', async () => {
    const { answer } = await taken({ suggestedCase: 'K'.repeat(10_000), fileName: 'a.pdf' });

    expect(answer).toMatchObject({ suggestion: null, remarks: [{ code: 'wrong-uuid' }] });
  });

  it('is seen by those whose KLE number it is below, and by no others with data constraints', async () => {
    const { id } = await taken({ kle: '27.24.00', facet: 'G01' });
    const readAs = async (constraints: NonNullable<TokenOptions['constraints']>) =>
      (await stack.call('GET', `/incoming-documents/${id}`, { as: { constraints } })).status;

    expect(await readAs({ kle: ['27'] })).toBe(200);
    expect(await readAs({ kle: ['27.24.00.G01', '54'] })).toBe(200);
    expect(await readAs({ kle: ['27.24.00.G02'] })).toBe(404);
    expect(await readAs({ kle: ['28', '27.25'] })).toBe(404);
    expect(await readAs({ kle: ['27'], org_unit: ['skole'] })).toBe(404);
    expect(await readAs({ org_unit: ['skole'] })).toBe(404);
  });

  it.skipIf(!existsSync(EXAMPLE))('is taken as the example of the protocol facts has it', async () => {
    const response = await distribute(stack.url, readFileSync(EXAMPLE, 'utf8'));

    expect(codesIn(await response.text())).toEqual(['ACCEPTERET', 'Teknisk']);
  });
});

describe('what is not as the schema has it, but can be read,', () => {
  it('is kept, with remarks: an object that is none of what it is said to be, without a title and a file', async () => {
    const { answer } = await taken({ claimedType: 'FORMULAR', object: { type: 'DOKUMENT', title: ' ' } });

    expect(answer).toMatchObject({ subject: '', documents: [], distribution: { objectType: 'DOKUMENT' } });
    expect(answer.remarks.map(({ code, path }) => `${code} ${path.split('/').at(-1)}`)).toEqual([
      'unknown-value ObjektType',
      'missing-element DistributionDokument',
      'missing-element DokumentFilNavn',
    ]);
  });

  it.each([
    ['without namespaces inside', (xml: string) => xml.replace(/<(\/?)d:(?!Fordeling)/g, '<$1')],
    ['with other prefixes', (xml: string) => xml.replaceAll('d:', 'x-1:').replace('xmlns:d', 'xmlns:x-1')],
    ['with white space around its ids', (xml: string) => xml.replace(/(<d:\w*ID>)([^<]*)/g, '$1\n  $2\t')],
    [
      'with a KLE number of its own that is none',
      (xml: string) => xml.replace('>27.24.00</d:KLEEmneForslag', '>27</d:KLEEmneForslag'),
    ],
  ])('takes a request %s', async (_what, change) => {
    const transactionId = randomUUID();
    const xml = writeDistribution({ transactionId, fileName: 'a.pdf' });
    expect(change(xml)).not.toBe(xml);

    const response = await distribute(stack.url, change(xml));

    expect(codesIn(await response.text())).toEqual(['ACCEPTERET', 'Teknisk']);
    const [message] = await messagesOf(transactionId);
    expect(message?.kle).toMatch(/^27\.24\.00/);
  });
});

describe('a journal entry', () => {
  it('has its note as a text that can be read', async () => {
    const { id, answer } = await taken({
      object: {
        type: 'JOURNALPOST',
        title: 'Opkald',
        note: 'Moren ringede. Æblegrød & "saft" <3',
        party: { type: 'Person', urn: `urn:oio:cpr-nr:${CHILD}` },
      },
    });

    expect(answer).toMatchObject({
      subject: 'Opkald',
      concerning: { id: CHILD },
      documents: [{ role: 'main', files: [{ fileName: 'Notat.txt', encodingFormat: 'text/plain', status: 'stored' }] }],
    });
    const text = await stack.call('GET', `/incoming-documents/${id}/text`);
    expect(await text.json()).toMatchObject({ text: 'Moren ringede. Æblegrød & "saft" <3' });
  });
});

describe('a form', () => {
  it('has its content as a file, streamed past the parser, and its XML unread', async () => {
    const content = Buffer.from('%PDF-1.7\n'.padEnd(300_000, 'formular '));

    const { id, answer } = await taken({ object: { type: 'FORMULAR', title: 'Ansøgning', format: 'PDF', content } });

    const [document] = answer.documents;
    expect(document).toMatchObject({
      role: 'main',
      files: [{ fileName: 'Ansøgning.pdf', detectedFormat: 'application/pdf', status: 'stored', size: content.length }],
    });
    const file = await stack.call('GET', `/incoming-documents/${id}/files/${document?.files[0]?.id}`);
    expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true);
    const [{ original } = { original: Buffer.alloc(0) }] = await stack.sql<{ original: Buffer }>(
      'SELECT original FROM message_details WHERE message_id = $1',
      [id],
    );
    expect(original.toString()).toContain('urn:example:form');
    expect(original.toString()).not.toContain(content.toString('base64').slice(0, 40));
  });

  it('keeps its XML unread, whatever it has inside', async () => {
    const xml = writeDistribution({ object: { type: 'FORMULAR', content: Buffer.from('x') } });
    const changed = xml.replace('<navn>', '<FormularIndhold>ikke base64</FormularIndhold><navn>');
    expect(changed).not.toBe(xml);

    const response = await distribute(stack.url, changed);

    expect(codesIn(await response.text())).toEqual(['ACCEPTERET', 'Teknisk']);
  });

  it.each([
    ['without a namespace', '<FormularIndhold xmlns="">'],
    ['in that of version 3', '<s:FormularIndhold>'],
  ])('has its content also %s', async (_what, tag) => {
    const transactionId = randomUUID();
    const xml = writeDistribution({ transactionId, object: { type: 'FORMULAR', content: Buffer.from('x') } });
    const end = `</${tag.slice(1).split(/[ >]/)[0]}>`;
    const changed = xml.replace('<d:FormularIndhold>', tag).replace('</d:FormularIndhold>', end);

    await distribute(stack.url, changed);

    const [message] = await messagesOf(transactionId);
    expect(message).toMatchObject({ file_count: 1, content_size: '1' });
  });

  it('is refused, and kept for an operator, when its content is no base64', async () => {
    const before = await contentFiles(stack);
    const xml = writeDistribution({ object: { type: 'FORMULAR', content: Buffer.from('x') } });

    const response = await distribute(stack.url, xml.replace('>eA==<', '>e!==<'));

    expect(await refusalIn(response)).toEqual({ status: 200, code: 'AFVIST', faults: ['content-not-base64'] });
    expect(await contentFiles(stack)).toEqual(before);
    expect(await stack.sql('SELECT reason, endpoint FROM quarantine_entries')).toContainEqual({
      reason: 'content-not-base64',
      endpoint: 'sf2900',
    });
  });
});

/** What a refusal says; the schema must have its envelope. */
async function refusalIn(response: Response) {
  const xml = await response.text();
  expect(await schema.faultsOf([xml])).toEqual([undefined]);
  const [, code] = /(?:ForretningsValideringsKode|TransportValideringsKode)>(\w+)</.exec(xml) ?? [];
  return { status: response.status, code, faults: [...xml.matchAll(/FejlKode>([\w-]+)</g)].map(([, fault]) => fault) };
}

describe('what is refused', () => {
  const but = (from: string | RegExp, to: string) => {
    const xml = writeDistribution({ fileName: 'a.pdf' });
    const changed = xml.replace(from, to);
    expect(changed).not.toBe(xml);
    return changed;
  };
  const REFUSED: readonly (readonly [string, () => string, string])[] = [
    ['for another municipality', () => writeDistribution({ recipient: '99999999' }), 'not-our-recipient'],
    [
      'without a transaction id',
      () => but(/<d:AnvenderTransaktionsID>[^/]*\/d:AnvenderTransaktionsID>/, ''),
      'not-sf2900',
    ],
    ['with a transaction id that is none', () => but(/(<d:AnvenderTransaktionsID>)[^<]*/, '$1x'), 'not-sf2900'],
    ['without an object id', () => but(/<d:ID>[^/]*\/d:ID>/, ''), 'not-sf2900'],
    ['with a CVR number of nine digits', () => but('>11111111<', '>111111111<'), 'not-sf2900'],
    [
      'routed by what is no KLE number',
      () => but('>27.24.00</d:RoutingKLEEmne', '>27.24.*</d:RoutingKLEEmne'),
      'not-sf2900',
    ],
    ['without a routing', () => but(/<d:RoutingValg>.*<\/d:RoutingValg>/, ''), 'not-sf2900'],
    ['without an object', () => but(/<d:DistributionDokument>.*<\/d:DistributionDokument>/, ''), 'not-sf2900'],
    [
      'with another request in its Body',
      () => but(/FordelingsobjektModtagRequest/g, 'FordelingsmodtagerListRequest'),
      'not-sf2900',
    ],
    [
      'with the content of a form in its header',
      () =>
        but(
          '<soapenv:Body>',
          '<soapenv:Header><d:Formular><d:FormularIndhold>eA==</d:FormularIndhold></d:Formular></soapenv:Header><soapenv:Body>',
        ),
      'not-sf2900',
    ],
    [
      'with a form without content',
      () =>
        writeDistribution({ object: { type: 'FORMULAR', content: Buffer.from('x') } }).replace(
          /<d:FormularIndhold>.*<\/d:FormularIndhold>/,
          '<x:FormularIndhold xmlns:x="urn:x">eA==</x:FormularIndhold>',
        ),
      'not-sf2900',
    ],
    [
      'with an element in the content of a form',
      () =>
        writeDistribution({ object: { type: 'FORMULAR', content: Buffer.from('x') } }).replace('>eA==<', '>eA==<b/><'),
      'content-not-base64',
    ],
    ['with two documents', () => but(/(<d:DistributionDokument>.*<\/d:DistributionDokument>)/, '$1$1'), 'not-sf2900'],
    ['with two contexts', () => but(/(<d:DistributionContext>.*<\/d:DistributionContext>)/, '$1$1'), 'not-sf2900'],
    [
      'with two requests',
      () => but(/(<d:FordelingsobjektModtagRequest>.*<\/d:FordelingsobjektModtagRequest>)/, '$1$1'),
      'not-sf2900',
    ],
    [
      'with its elements nested a thousand deep',
      () => but('<d:TitelTekst>', `${'<d:a>'.repeat(1_000)}${'</d:a>'.repeat(1_000)}<d:TitelTekst>`),
      'not-sf2900',
    ],
    ['over the limit without its files', () => but('Udtalelse fra skole', 'a'.repeat(1_100_000)), 'skeleton-too-large'],
    ['that is cut off', () => writeDistribution().slice(0, 800), 'not-xml'],
    [
      'with a document type',
      () => but('<soapenv:Envelope', '<!DOCTYPE x [<!ENTITY e "x">]><soapenv:Envelope'),
      'forbidden-xml',
    ],
  ];

  it.each(REFUSED)('%s is AFVIST, with the code of the fault', async (_what, xml, code) => {
    const response = await distribute(stack.url, xml());

    expect(await refusalIn(response)).toEqual({ status: 200, code: 'AFVIST', faults: [code] });
  });

  it.each([
    [
      'another version of SOAP',
      () => but(/schemas.xmlsoap.org\/soap\/envelope\//g, 'www.w3.org/2003/05/soap-envelope'),
      'not-sf2900',
    ],
    [
      'a header that must be understood',
      () => but('<soapenv:Body>', '<soapenv:Header><x soapenv:mustUnderstand="1"/></soapenv:Header><soapenv:Body>'),
      'not-sf2900',
    ],
  ])('%s is a fault, with TransportKvittering', async (_what, xml, code) => {
    const response = await distribute(stack.url, xml());

    expect(await refusalIn(response)).toEqual({ status: 500, code: 'FEJL', faults: [code] });
  });

  it('is not there without the setting', async () => {
    const without = await startTestStack({ SF2900: 'off' });
    try {
      expect((await distribute(without.url, writeDistribution())).status).toBe(404);
    } finally {
      await without.close();
    }
  });

  it('says nothing of the document', async () => {
    const xml = writeDistribution({ recipient: '99999999', object: { type: 'DOKUMENT', title: 'Hemmelig' } });

    const answer = await (await distribute(stack.url, xml)).text();

    expect(answer).not.toContain('Hemmelig');
  });
});

describe('the technical receipt', () => {
  it('is valid by the schema, and says MODTAGET where it is set so', async () => {
    const other = await startTestStack({ SF2900_RECEIPT_CODE: 'MODTAGET' });
    try {
      const xml = await (await distribute(other.url, writeDistribution())).text();

      expect(codesIn(xml)).toEqual(['MODTAGET', 'Teknisk']);
      expect(await schema.faultsOf([xml])).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  it('is a fault that asks for it again while nothing can be stored', async () => {
    await stack.sql('ALTER TABLE messages RENAME TO away');
    try {
      const response = await distribute(stack.url, writeDistribution());

      expect(await refusalIn(response)).toEqual({ status: 500, code: 'FEJL', faults: ['send-again'] });
    } finally {
      await stack.sql('ALTER TABLE away RENAME TO messages');
    }
  });
});
