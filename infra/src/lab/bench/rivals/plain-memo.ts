import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, openStore, type Store } from '@indbakke/shared/store';

/** A MeMo as parsed by xml2js or soap: without prefixes, single elements not in arrays. */
export interface PlainMessage {
  readonly MessageHeader: {
    readonly messageUUID: string;
    readonly label: string;
    readonly Sender: { readonly senderID: string; readonly idType: string; readonly label: string };
    readonly Recipient: { readonly recipientID: string };
    readonly ReplyData?: { readonly replyUUID?: string };
  };
  readonly MessageBody: { readonly MainDocument: { readonly File: PlainFile | readonly PlainFile[] } };
}

interface PlainFile {
  readonly filename: string;
  readonly encodingFormat: string;
  readonly content: string;
}

const folder = process.env.FOLDER ?? '.';

export function openPlainStore(): Store {
  return openStore({ url: process.env.DATABASE_URL ?? '', connections: 16, name: 'bench-plain' });
}

/** Stores a message with a plain implementation: whole in memory, writeFile per file, Prisma’s create for the rows. */
export async function writePlainly(store: Store, message: PlainMessage): Promise<string> {
  const { MessageHeader: header, MessageBody: body } = message;
  const municipality = header.Recipient.recipientID;
  const files = await Promise.all([body.MainDocument.File].flat().map(writePlainFile));
  const [id, transmissionId, at] = [newId(), randomUUID(), new Date()];
  await store.withTenant(municipality, (tx) =>
    tx.message.create({
      data: {
        id,
        municipality,
        channel: 'sf1606',
        externalId: header.messageUUID.toLowerCase(),
        fingerprint: createHash('sha256').update(header.messageUUID).digest(),
        kind: 'reply',
        receivedAt: at,
        letterAt: at,
        transmissionId,
        documentCount: 1,
        fileCount: files.length,
        contentSize: files.reduce((sum, { size }) => sum + size, 0n),
        remarks: [],
        status: 'pending',
        statusAt: at,
        statusBy: 'bench',
        suggestionRunAt: at,
        nextEnqueueAt: at,
        details: {
          create: {
            municipality,
            subject: header.label,
            senderId: header.Sender.senderID,
            senderIdType: header.Sender.idType,
            senderName: header.Sender.label,
            contactInfo: [],
            originalFormat: 'memo',
            original: Buffer.from(JSON.stringify(header)),
          },
        },
        documents: {
          create: [
            {
              position: 0,
              municipality,
              role: 'main',
              files: { create: files.map((file) => ({ ...file, municipality })) },
            },
          ],
        },
        replyReferences: {
          create: header.ReplyData?.replyUUID
            ? [{ position: 0, municipality, kind: 'message-uuid', value: header.ReplyData.replyUUID }]
            : [],
        },
      },
    }),
  );
  return transmissionId;
}

async function writePlainFile({ filename, encodingFormat, content }: PlainFile, position: number) {
  const bytes = Buffer.from(content, 'base64');
  await writeFile(join(folder, randomUUID()), bytes);
  return {
    id: newId(),
    position,
    fileName: filename,
    encodingFormat,
    language: 'da',
    status: 'stored',
    size: BigInt(bytes.length),
    sha256: createHash('sha256').update(bytes).digest(),
    containerIndex: position,
    containerOffset: 0n,
  };
}
