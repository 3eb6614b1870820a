import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { bigMemo } from '../../testkit/big-memo.js';
import { type MemoSpec, writeMemo } from '../../testkit/write-memo.js';

export { REST_PATH } from '../../testkit/deliver.js';

const SOME_UUID = '00000000-0000-4000-8000-000000000000';

/** A letter that can be sent again and again: each copy has a messageUUID of its own. */
export interface Copies {
  readonly bytes: number;
  /** The next copy, in pieces. All but the first piece are shared. */
  next(): readonly Buffer[];
  /** What comes before, between and after its messageUUIDs, as latin1; of one that is a single piece. */
  readonly parts: readonly string[];
}

/** 104 MB of XML around one PDF of 78 MB, ready in memory, so that making it takes no time while it is sent. */
export async function bigCopies(): Promise<Copies> {
  return copiesOf(await bigPieces());
}

/** The same inside a SOAP envelope. */
export async function bigEnvelopes(): Promise<Copies> {
  const [first, ...rest] = await bigPieces();
  const open =
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><s:PostModtagRequest xmlns:s="urn:indbakke:sf1606:1">';
  const close = '</s:PostModtagRequest></soapenv:Body></soapenv:Envelope>';
  const withoutDeclaration = String(first).replace(/^<\?xml.*?\?>\s*/, '');
  return copiesOf([Buffer.from(open + withoutDeclaration), ...rest, Buffer.from(close)]);
}

async function bigPieces(): Promise<Buffer[]> {
  const letter: MemoSpec = { messageUUID: SOME_UUID, recipient: { id: EXAMPLE_MUNICIPALITY.cvr } };
  const pieces: Buffer[] = [];
  for await (const piece of bigMemo(letter, { name: 'byggesag.pdf', type: 'application/pdf' }).pieces()) {
    pieces.push(piece);
  }
  return pieces;
}

/** A reply of 20 KB in all: one small PDF, and the link to the letter that it answers. */
export function replyCopies(answers: string = randomUUID()): Copies {
  const letter: MemoSpec = {
    messageUUID: SOME_UUID,
    subject: 'Svar på jeres brev',
    recipient: { id: EXAMPLE_MUNICIPALITY.cvr },
    replyData: [{ messageUUID: SOME_UUID, replyUUID: answers, senderID: EXAMPLE_MUNICIPALITY.cvr }],
    documents: [{ files: [{ name: 'svar.pdf', type: 'application/pdf', content: randomBytes(13_900) }] }],
  };
  return copiesOf([writeMemo(letter)]);
}

function copiesOf([first = Buffer.alloc(0), ...rest]: readonly Buffer[]): Copies {
  const parts = first.toString('latin1').split(SOME_UUID); // latin1 gives every byte back
  const bytes = [first, ...rest].reduce((sum, piece) => sum + piece.length, 0);
  return { bytes, parts, next: () => [Buffer.from(parts.join(randomUUID()), 'latin1'), ...rest] };
}

/** Registers a message that was sent from a case. @returns its messageUUID: a reply to it gets that case suggested */
export async function registerSentMessage(client: pg.Client): Promise<string> {
  const [messageUuid, { cvr }] = [randomUUID(), EXAMPLE_MUNICIPALITY];
  await client.query(`INSERT INTO cases (municipality, case_id) VALUES ($1, 'bench')`, [cvr]);
  const insert = `INSERT INTO sent_messages (municipality, message_uuid, case_id) VALUES ($1, $2, 'bench')`;
  await client.query(insert, [cvr, messageUuid]);
  return messageUuid;
}
