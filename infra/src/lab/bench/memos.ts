import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { bigMemo } from '../../testkit/big-memo.js';
import { type MemoSpec, writeMemo } from '../../testkit/write-memo.js';

export { REST_PATH } from '../../testkit/deliver.js';

const SOME_UUID = '00000000-0000-4000-8000-000000000000';

/** A MeMo to be sent many times: each copy has its own messageUUID. */
export interface Copies {
  readonly bytes: number;
  /** The next copy, in pieces. All but the first piece are shared. */
  next(): readonly Buffer[];
  /** The first piece without its messageUUIDs, as latin1. */
  readonly parts: readonly string[];
}

/** 104 MB of XML with one PDF of 78 MB, in memory, so that generating it is not measured. */
export async function bigCopies(): Promise<Copies> {
  return copiesOf(await bigPieces());
}

/** The same in a SOAP envelope. */
export async function bigEnvelopes(): Promise<Copies> {
  const [first, ...rest] = await bigPieces();
  const open =
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><s:PostModtagRequest xmlns:s="urn:indbakke:sf1606:1">';
  const close = '</s:PostModtagRequest></soapenv:Body></soapenv:Envelope>';
  const withoutDeclaration = String(first).replace(/^<\?xml.*?\?>\s*/, '');
  return copiesOf([Buffer.from(open + withoutDeclaration), ...rest, Buffer.from(close)]);
}

async function bigPieces(): Promise<Buffer[]> {
  const memo: MemoSpec = { messageUUID: SOME_UUID, recipient: { id: EXAMPLE_MUNICIPALITY.cvr } };
  const pieces: Buffer[] = [];
  for await (const piece of bigMemo(memo, { name: 'byggesag.pdf', type: 'application/pdf' }).pieces()) {
    pieces.push(piece);
  }
  return pieces;
}

/** A reply with one PDF, by default of 20 KB in all, and a reference to the message `answers`. */
export function replyCopies(answers: string = randomUUID(), pdfBytes = 13_900): Copies {
  const memo: MemoSpec = {
    messageUUID: SOME_UUID,
    subject: 'Svar på jeres brev',
    recipient: { id: EXAMPLE_MUNICIPALITY.cvr },
    replyData: [{ messageUUID: SOME_UUID, replyUUID: answers, senderID: EXAMPLE_MUNICIPALITY.cvr }],
    documents: [{ files: [{ name: 'svar.pdf', type: 'application/pdf', content: smallPdf(pdfBytes) }] }],
  };
  return copiesOf([writeMemo(memo)]);
}

/** Begins like a PDF; the rest does not compress, as in most. */
function smallPdf(size: number): Buffer {
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(size)], size);
}

function copiesOf([first = Buffer.alloc(0), ...rest]: readonly Buffer[]): Copies {
  const parts = first.toString('latin1').split(SOME_UUID); // latin1 preserves every byte
  const bytes = [first, ...rest].reduce((sum, piece) => sum + piece.length, 0);
  return { bytes, parts, next: () => [Buffer.from(parts.join(randomUUID()), 'latin1'), ...rest] };
}

/** Registers a sent message and its case. @returns its messageUUID, for replies */
export async function registerSentMessage(client: pg.Client): Promise<string> {
  const [messageUuid, { cvr }] = [randomUUID(), EXAMPLE_MUNICIPALITY];
  await client.query(`INSERT INTO cases (municipality, case_id) VALUES ($1, 'bench')`, [cvr]);
  const insert = `INSERT INTO sent_messages (municipality, message_uuid, case_id) VALUES ($1, $2, 'bench')`;
  await client.query(insert, [cvr, messageUuid]);
  return messageUuid;
}
