import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Relay, startRelay } from '../../../infra/src/testkit/relay.js';
import { CONTACT_POINT, ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { type ReceiverProcess, startReceiverProcess } from './support/receiver-process.js';

/** Everything personal that a message can contain, each with a unique word. */
const MARKERS = {
  senderCpr: '4107071111',
  concerningCpr: '4108082222',
  contactInfoCpr: '4109093333',
  replySenderCpr: '4110104444',
  senderName: 'Afsendernavn',
  concerningName: 'Barnenavn',
  representativeCpr: '4111115555',
  representativeName: 'Repræsentantnavn',
  originalSender: 'Oprindeligafsender',
  subject: 'Hemmeligtemne',
  documentLabel: 'Dokumentetiket',
  fileName: 'Filnavnet',
  fileType: 'Filtypen',
  content: 'Indholdetselv',
  caseId: 'Sagsnummeret',
  comment: 'Kommentaren',
} as const;
const FORBIDDEN = [...Object.values(MARKERS), Buffer.from(MARKERS.content).toString('base64').slice(0, 16)];
const markersIn = (text: string) => FORBIDDEN.filter((marker) => text.includes(marker));

const memo = (messageUUID: string = randomUUID()): MemoSpec => ({
  messageUUID,
  subject: MARKERS.subject,
  sender: { id: MARKERS.senderCpr, name: MARKERS.senderName },
  representative: { id: MARKERS.representativeCpr, name: MARKERS.representativeName },
  concerning: { cpr: MARKERS.concerningCpr, name: MARKERS.concerningName },
  contactPointId: CONTACT_POINT,
  contactInfo: [{ label: 'Barnets CPR-nummer', value: MARKERS.contactInfoCpr }],
  replyData: [
    {
      messageUUID: randomUUID(),
      replyUUID: randomUUID(),
      senderID: MARKERS.replySenderCpr,
      caseID: MARKERS.caseId,
      generatingSystemID: 'DUBU',
    },
  ],
  documents: [
    { ...textDocument(MARKERS.content, `${MARKERS.fileName}.txt`), label: MARKERS.documentLabel },
    { files: [{ name: `${MARKERS.fileName}?.x`, type: MARKERS.fileType, content: Buffer.from(MARKERS.content) }] },
  ],
});
const xml = (change: (xml: string) => string = (same) => same) => change(writeMemo(memo()).toString());

const ACCEPTED = {
  'a reply': xml(),
  'a forwarded message': writeMemo({ ...memo(), forwardedFrom: MARKERS.originalSender }).toString(),
  'a message that is held': writeMemo({ ...memo(), contactPointId: randomUUID() }).toString(),
  'a message with faults': xml((text) =>
    text
      .replace('DIGITALPOST', MARKERS.comment)
      .replace('2026-11-02T08:12:00Z', MARKERS.comment)
      .replace('<memo:Sender>', `<memo:priority>${MARKERS.comment}</memo:priority><memo:Sender>`),
  ),
};
const REFUSED = {
  'not XML': `${MARKERS.senderCpr} ${MARKERS.senderName}`,
  'not well-formed in a name': xml((text) => text.replace(`${MARKERS.senderName}<`, `${MARKERS.senderName} & co<`)),
  'not well-formed in a tag': xml((text) => text.replace('</memo:Sender>', `</memo:${MARKERS.senderName}>`)),
  'not well-formed by a reference': xml((text) => text.replace(MARKERS.subject, `${MARKERS.subject}&#xD800;`)),
  'an entity of its own': xml((text) => text.replace(MARKERS.subject, `&${MARKERS.subject};`)),
  'content that is not base64': xml((text) => text.replace(/(<memo:content>)[^<]*/, `$1${MARKERS.content}!`)),
  'no messageUUID': xml((text) => text.replace(/<memo:messageUUID>[^<]*/, '<memo:messageUUID>')),
  'a citizen as recipient': xml((text) => text.replace(`>${ODENSKOV}<`, `>${MARKERS.senderCpr}<`)),
  'a recipient that is a name': xml((text) => text.replace(`>${ODENSKOV}<`, `>${MARKERS.senderName}<`)),
};

let stack: TestStack;
let relay: Relay;
let receiver: ReceiverProcess;
const answers: string[] = [];

const deliver = async (body: string, accept: string) => {
  const headers = { 'content-type': 'application/xml', accept };
  const answer = await fetch(`${receiver.url}/sf1606/PostModtag`, { method: 'POST', headers, body });
  answers.push([...answer.headers].flat().join(' '), await answer.text());
  return answer.status;
};

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  relay = await startRelay(stack.serviceUrl);
  receiver = await startReceiverProcess({ ...stack.env, DATABASE_URL: relay.url, QUEUE_URL: stack.serviceUrl });
});
afterAll(async () => {
  await receiver.stop();
  await relay.close();
  await stack.close();
});

describe('nothing personal is in', () => {
  beforeAll(async () => {
    for (const accept of ['application/json', 'application/xml']) {
      for (const body of Object.values(ACCEPTED)) expect(await deliver(body, accept)).toBe(200);
      for (const body of Object.values(REFUSED)) expect(await deliver(body, accept)).toBeGreaterThanOrEqual(400);
    }
    for (const statement of ['lock-ids', 'insert-messages', 'COMMIT']) {
      relay.cutAfter(statement);
      expect(await deliver(xml(), 'application/json')).toBe(503);
      await relay.restore();
    }
  });

  test('any answer', () => {
    expect(answers.flatMap(markersIn)).toEqual([]);
  });

  test('the metrics', async () => {
    const metrics = await (await fetch(`${receiver.url}/metrics`)).text();

    for (const outcome of ['accepted', 'held']) {
      expect(metrics).toContain(`indbakke_intake_total{endpoint="rest",outcome="${outcome}"}`);
    }
    expect(markersIn(metrics)).toEqual([]);
  });

  test('the jobs', async () => {
    const jobs = await stack.sql<{ row: string }>('SELECT to_jsonb(job)::text AS row FROM bullmq.job');

    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.flatMap(({ row }) => markersIn(row))).toEqual([]);
  });

  // Tables that survive a deletion, or that the sweeps and the core’s feed read.
  test.each(['messages', 'events', 'audit_events', 'content_removals', 'message_keys'])('table %s', async (table) => {
    const rows = await stack.sql<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${table} t`);

    expect(rows.flatMap(({ row }) => markersIn(row))).toEqual([]);
  });

  test('the names and bytes of the files on disk', () => {
    const entries = readdirSync(stack.contentFolder, { recursive: true, withFileTypes: true });
    const containers = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('check-'));
    const files = containers.map((entry) => `${entry.parentPath}/${entry.name}`);

    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((file) => markersIn(file + readFileSync(file, 'latin1')))).toEqual([]);
  });

  test('the log, which has a line for each delivery and each refusal', async () => {
    await receiver.stop(); // the line of a request is written after its answer

    const events = receiver.lines.map((line) => (JSON.parse(line) as { event: string }).event);
    const count = (event: string) => events.filter((each) => each === event).length;

    expect(receiver.lines.flatMap(markersIn)).toEqual([]);
    expect({ refused: count('refused'), failed: count('failed'), request: count('request') }).toEqual({
      refused: 2 * Object.keys(REFUSED).length,
      failed: 3,
      request: answers.length / 2,
    });
  });
});
