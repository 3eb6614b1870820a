import type { Sealer } from '@indbakke/shared/content';
import { Problem } from '@indbakke/shared/errors';
import { uuidOf } from '@indbakke/shared/ids';
import { FINGERPRINT, type KeyRing } from '@indbakke/shared/keys';
import {
  canonicalText,
  originalOf,
  pathOf,
  readXml,
  type Trail,
  type XmlDocument,
  type XmlElement,
} from '@indbakke/shared/xml';
import type { ReceiverConfig } from '../../config.js';
import type {
  IncomingDocument,
  IncomingFile,
  IncomingMessage,
  ReadMessage,
  Remark,
} from '../../intake/incoming-message.js';
import { type ReceivedFile, sinkInto } from '../../intake/received-file.js';
import { SF2900 } from '../format.js';
import { isRemoteName } from '../sftp/remote-name.js';
import { kleIn, readContext } from './context.js';
import { at, needed, type Place, rootPlace, textAt } from './elements.js';
import { type DistributionObject, readObject } from './objects.js';

export interface DistributionDelivery {
  readonly body: AsyncIterable<Buffer>;
  readonly trail: Trail;
  readonly charset: () => string | undefined;
  /** Finds the request in the envelope. */
  readonly findRequest: (document: XmlDocument) => XmlElement | Promise<XmlElement>;
}

/** Reads a document that Fordelingskomponenten delivers, leniently but for what its receipts repeat. */
export function readDelivery(
  { keys, config }: { readonly keys: KeyRing; readonly config: ReceiverConfig },
  { body, trail, charset, findRequest }: DistributionDelivery,
): ReadMessage {
  return async (sealer, onId) => {
    const received: ReceivedFile[] = [];
    const document = await readXml(
      SF2900,
      body,
      (index) => sinkInto(sealer.openFile(index), (file) => received.push(file)),
      {
        maxBytes: config.MAX_MESSAGE_BYTES,
        maxSkeletonBytes: config.MAX_SKELETON_BYTES,
        maxFiles: config.MAX_FILES,
        maxDepth: config.MAX_DEPTH,
      },
      charset,
      trail,
    );
    const request = rootPlace(await findRequest(document));
    const context = readContext(request);
    const object = readObject(request);
    const externalId = { value: `${context.transactionId}:${object.id}`, isUnique: true };
    onId(externalId);
    checkContents(object, received, document.token);
    const notes = await sealNotes(sealer, object.notes, received.length);
    const fileName = fileNameIn(request);
    const anmodning = needed(request, 'anmodning');
    const path = (...names: string[]) => [pathOf(anmodning), ...names].join('/');
    const concerned = object.parties.find(({ role, type }) => role === 'primary' && type === 'person');
    return {
      municipality: context.municipality,
      externalId,
      fingerprint: keys.digest(FINGERPRINT, canonicalOf(anmodning.element, received, document.token)),
      kind: 'enquiry',
      subject: object.subject,
      sender: { id: context.sender, idType: 'CVR', name: '' },
      representative: undefined,
      concerning: { id: concerned?.id ?? undefined, name: concerned?.name ?? undefined },
      concerningIsGiven: concerned !== undefined,
      contactPointId: undefined,
      contactInfo: object.info,
      letterAt: object.letterAt,
      replyBy: object.replyBy,
      references: referencesOf(object),
      documents: documentsOf(object, fileName, [...received, ...notes]),
      remarks: remarksOn(object, fileName, path),
      original: { format: 'sf2900', bytes: originalOf(document) },
      distribution: {
        objectType: object.type,
        objectId: object.id,
        context,
        kle: kleIn(object.place, context),
        parties: object.parties,
        exemption: object.exemption,
      },
      paths: {
        municipality: path('DistributionContext', 'RoutingMyndighed'),
        letterAt: path('DistributionObject'),
        replyBy: path('DistributionObject'),
      },
    };
  };
}

/** Of the file that follows by SFTP. @throws Problem not-sf2900 when it is no plain name: then the file could never be fetched */
function fileNameIn(request: Place): string | undefined {
  const place = at(request, 'anmodning', 'DistributionContext', 'DokumentFilNavn');
  const name = textAt(place);
  if (!place || name === undefined || isRemoteName(name)) return name;
  throw new Problem('not-sf2900', 'The file name is a path, or is too long.', { path: pathOf(place) });
}

/** Each file was taken from the form, and from nowhere else: not from a header, for example. @throws Problem not-sf2900 */
function checkContents(
  { contents, place }: DistributionObject,
  received: readonly ReceivedFile[],
  token: (index: number) => string,
): void {
  if (received.every(({ index }) => contents.includes(token(index)))) return;
  throw new Problem('not-sf2900', 'There is a FormularIndhold outside of the form.', { path: pathOf(place) });
}

/** The text of a note becomes a file, like what is written in any other format. */
async function sealNotes(
  sealer: Pick<Sealer, 'openFile'>,
  notes: readonly string[],
  firstIndex: number,
): Promise<ReceivedFile[]> {
  const sealed: ReceivedFile[] = [];
  for (const note of notes) {
    const file = sealer.openFile(firstIndex + sealed.length);
    await file.write(Buffer.from(note));
    sealed.push({ ...(await file.end()), detectedFormat: null });
  }
  return sealed;
}

/** The file that follows comes first, then what the request itself contains. */
function documentsOf(
  { id, subject, notes, encodingFormat, formFileName }: DistributionObject,
  fileName: string | undefined,
  received: readonly ReceivedFile[],
): IncomingDocument[] {
  const files: IncomingFile[] = received.map(({ detectedFormat, ...content }, position) => {
    const isNote = position >= received.length - notes.length;
    const given = isNote
      ? { fileName: 'Notat.txt', encodingFormat: 'text/plain' }
      : { fileName: formFileName, encodingFormat };
    return { ...given, detectedFormat, language: '', content };
  });
  if (fileName !== undefined) {
    files.unshift({ fileName, encodingFormat, detectedFormat: null, language: '', content: 'expected' });
  }
  return files.map((file, position) => ({
    role: position === 0 ? 'main' : 'additional',
    documentId: position === 0 ? id : undefined,
    label: position === 0 ? subject : undefined,
    files: [file],
  }));
}

/** SF2900 2.4, SagForslag: a UUID. As it was written too: the core may have registered its case so. */
function referencesOf({ suggestedCase }: DistributionObject): IncomingMessage['references'] {
  const uuid = uuidOf(suggestedCase ?? '');
  if (suggestedCase === undefined || uuid === undefined) return [];
  return [...new Set([uuid, suggestedCase])].map((value) => ({ kind: 'sag-forslag', value }));
}

function remarksOn(
  { type, subject, suggestedCase, notes, contents, place }: DistributionObject,
  fileName: string | undefined,
  path: (...names: string[]) => string,
): Remark[] {
  const remarks: Remark[] = [];
  const claimed = textAt(place.parent?.parent, 'ObjektType');
  if (claimed !== type) remarks.push({ code: 'unknown-value', path: path('DistributionObject', 'ObjektType') });
  if (subject === '') remarks.push({ code: 'missing-element', path: pathOf(place) });
  if (suggestedCase !== undefined && uuidOf(suggestedCase) === undefined) {
    remarks.push({ code: 'wrong-uuid', path: `${pathOf(place)}/SagForslag` });
  }
  const hasContent = fileName !== undefined || notes.length > 0 || contents.length > 0;
  if (!hasContent) remarks.push({ code: 'missing-element', path: path('DistributionContext', 'DokumentFilNavn') });
  return remarks;
}

/**
 * What makes two deliveries the same: all but the id that Fordelingskomponenten gives each of its transactions, and the wrapper.
 */
function canonicalOf(anmodning: XmlElement, files: readonly ReceivedFile[], token: (index: number) => string): string {
  const sha256ByToken = new Map(files.map(({ index, sha256 }) => [token(index), sha256]));
  const withoutItsId = (element: XmlElement): XmlElement => ({
    ...element,
    children: element.children.filter(({ local }) => local !== 'DistributionTransktionsID'),
  });
  const same = {
    uri: '',
    local: 'anmodning',
    attributes: [],
    text: '',
    children: anmodning.children.map(withoutItsId),
  };
  return canonicalText(SF2900, same, (text) => sha256ByToken.get(text));
}
