import { createHash } from 'node:crypto';
import { writeDistribution } from '../../local/distribution/write-distribution.js';
import { type MemoSpecDocument, type ReplyEntry, writeMemo } from '../../testkit/write-memo.js';
import type { Random } from '../random.js';
import type { Kill } from './kills.js';
import type { SentMemo } from './ledger.js';

/** The registered sent message and its case, which must be suggested for a reply. */
export const REGISTERED = { caseId: 'SAG-1', messageUUID: '0b9d6a52-3c3f-4a53-9d0c-6f2b3f0f8a01' };

/** A message that the core sent, and its case. */
export type Sent = typeof REGISTERED;

/** Both have the registered sent message and case. */
export const MUNICIPALITIES = ['22222222', '33333333'] as const;
// Three segments of a container, and more than one chunk of a request.
const LARGE = { min: 60_000, max: 180_000 };

interface MemoWish {
  readonly municipality: string;
  /** Its sender. */
  readonly citizen?: string;
  /** What it replies to. */
  readonly to?: Sent;
}

/**
 * Usually one MeMo, sometimes two with the same id and different contents.
 *
 * @param wish if not any will do
 */
export function writeMemos(random: Random, run: number, kill: Kill, wish?: MemoWish): SentMemo[] {
  const uuid = random.uuid();
  const municipality = wish?.municipality ?? random.pick(MUNICIPALITIES);
  const any = random.chance(0.3) ? REGISTERED : random.chance(0.2) ? 'unknown' : undefined;
  const repliesTo = wish?.to ?? any;
  const variants = repliesTo === undefined && random.chance(0.06) ? 2 : 1;
  return Array.from({ length: variants }, (_, variant) => {
    const files = Array.from({ length: random.chance(0.7) ? 1 : random.between(2, 4) }, (_none, index) => ({
      name: `bilag-${index}.txt`,
      type: 'text/plain',
      content: random.bytes(random.chance(0.06) ? random.between(LARGE.min, LARGE.max) : random.between(20, 3_000)),
    }));
    const documents: MemoSpecDocument[] = random.chance(0.5)
      ? [{ files }]
      : files.map((file) => ({ label: file.name, files: [file] }));
    return {
      uuid,
      variant,
      municipality,
      xml: writeMemo({
        messageUUID: uuid,
        recipient: { id: municipality },
        ...(wish?.citizen && { sender: { id: wish.citizen, name: 'Test Testesen' } }),
        documents,
        replyData: repliesTo ? replyTo(repliesTo, municipality, random) : [],
      }),
      over: 'rest',
      files: files.map(({ content }) => createHash('sha256').update(content).digest('hex')),
      caseId: typeof repliesTo === 'object' ? repliesTo.caseId : null,
      run,
      kill,
      ...UNSENT(),
    };
  });
}

/** A document from Fordelingskomponenten, and the file that it names. */
export function writeDocument(random: Random, run: number, kill: Kill): { document: SentMemo; content: Buffer } {
  const [transactionId, objectId] = [random.uuid(), random.uuid()];
  const municipality = random.pick(MUNICIPALITIES);
  const fileName = `${objectId}.bin`;
  const content = random.bytes(random.chance(0.2) ? random.between(LARGE.min, LARGE.max) : random.between(20, 3_000));
  return {
    content,
    document: {
      uuid: `${transactionId}:${objectId}`,
      variant: 0,
      municipality,
      xml: Buffer.from(writeDistribution({ transactionId, objectId, recipient: municipality, fileName })),
      over: 'sf2900',
      fileName,
      files: [createHash('sha256').update(content).digest('hex')],
      caseId: null,
      run,
      kill,
      ...UNSENT(),
    },
  };
}

const UNSENT = () => ({
  receipts: new Set<string>(),
  sent: 0,
  status: 'pending' as const,
  asked: undefined,
  sentOn: undefined,
  busy: false,
  givenUp: false,
  id: undefined,
  blobName: undefined,
});

function replyTo(which: Sent | 'unknown', municipality: string, random: Random): ReplyEntry[] {
  const messageUUID = which === 'unknown' ? random.uuid() : which.messageUUID;
  return [{ messageUUID, senderID: municipality, recipientID: '4101019999' }];
}
