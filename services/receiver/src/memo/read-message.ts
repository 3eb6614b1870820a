import type { SealedFile } from '@indbakke/shared/content';
import { contactPointIdOf } from '@indbakke/shared/ids';
import type { KeyRing } from '@indbakke/shared/keys';
import { instantOf, MEMO, type Memo, readMemo } from '@indbakke/shared/memo';
import { originalOf, readXml, type Trail, type XmlDocument, type XmlElement } from '@indbakke/shared/xml';
import type { ReceiverConfig } from '../config.js';
import type { IncomingMessage, ReadMessage } from '../intake/incoming-message.js';
import { type ReceivedFile, sinkInto } from '../intake/received-file.js';
import { ADDRESSEE_PATH, addressee } from './addressee.js';
import { concerningOf } from './concerning.js';
import { documentsOf } from './documents.js';
import { externalIdOf } from './external-id.js';
import { fingerprintOf } from './fingerprint.js';
import { kindOf, referencesOf } from './references.js';

export interface MemoDelivery {
  readonly body: AsyncIterable<Buffer>;
  readonly trail: Trail;
  /** By the Content-Type, if it names one; known once the body has begun. */
  readonly charset: () => string | undefined;
  /** Finds the MeMo in the document; each endpoint has its own wrapper. */
  readonly findMessage: (document: XmlDocument) => XmlElement | Promise<XmlElement>;
}

export function readMessage(
  { keys, config }: { keys: KeyRing; config: ReceiverConfig },
  delivery: MemoDelivery,
): ReadMessage {
  return async (sealer, onId) => {
    const files: ReceivedFile[] = [];
    const document = await readXml(
      MEMO,
      delivery.body,
      (index) => sinkInto(sealer.openFile(index), (file) => files.push(file)),
      {
        maxBytes: config.MAX_MESSAGE_BYTES,
        maxSkeletonBytes: config.MAX_SKELETON_BYTES,
        maxFiles: config.MAX_FILES,
        maxDepth: config.MAX_DEPTH,
      },
      delivery.charset,
      delivery.trail,
    );
    const message = await delivery.findMessage(document);
    const { memo, remarks } = readMemo(message, files, document.token);
    const externalId = externalIdOf(memo);
    onId(externalId);
    return {
      ...incomingFrom(memo, files, config.OWN_SYSTEM_ID),
      externalId,
      remarks,
      fingerprint: fingerprintOf(keys, message, files, document.token),
      original: { format: 'memo', bytes: originalOf(document) },
    };
  };
}

/** Translates MeMo’s model into that of intake. */
function incomingFrom(
  memo: Memo,
  files: readonly SealedFile[],
  ownSystemId: string,
): Omit<IncomingMessage, 'externalId' | 'remarks' | 'fingerprint' | 'original'> {
  const municipality = addressee(memo);
  const { label = '', sender, recipient, replyByDateTime } = memo.header;
  const { contactPoint } = recipient ?? {};
  const contactInfo = contactInfoOf(memo);
  return {
    municipality,
    kind: kindOf(memo, municipality),
    subject: label,
    sender: { id: sender?.senderID ?? '', idType: sender?.idType ?? '', name: sender?.label ?? '' },
    representative: representativeOf(memo),
    concerning: concerningOf(memo, contactInfo),
    concerningIsGiven: Boolean(memo.header.contentData?.cprData?.cprNumber),
    contactPointId: (contactPoint && contactPointIdOf(contactPoint.contactPointID ?? '')) || undefined,
    contactInfo,
    letterAt: instantOf(memo.body?.createdDateTime ?? ''),
    replyBy: replyByDateTime === undefined ? undefined : instantOf(replyByDateTime),
    references: referencesOf(memo, municipality, ownSystemId),
    documents: documentsOf(memo, files),
    paths: {
      municipality: ADDRESSEE_PATH,
      letterAt: 'Message/MessageBody/createdDateTime',
      replyBy: 'Message/MessageHeader/replyByDateTime',
    },
  };
}

/** MeMo 1.2, Sender/Representative. */
function representativeOf({ header: { sender } }: Memo): IncomingMessage['representative'] {
  const { representativeID: id, idType, label: name } = sender?.representative ?? {};
  return id || name ? { id: id || undefined, idType: idType || undefined, name: name || undefined } : undefined;
}

/**
 * What the citizen filled in for the contact point, such as a child’s CPR number: for the recipient’s contact point, then for
 * the sender’s (MeMo 1.2, ContactPoint/ContactInfo).
 */
function contactInfoOf({ header: { recipient, sender } }: Memo): IncomingMessage['contactInfo'] {
  const pairs = [...(recipient?.contactPoint?.contactInfo ?? []), ...(sender?.contactPoint?.contactInfo ?? [])];
  return pairs.map(({ label = '', value = '' }) => ({ label, value }));
}
