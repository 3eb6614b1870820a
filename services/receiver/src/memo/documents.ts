import type { SealedFile } from '@indbakke/shared/content';
import type { Memo, MemoFile } from '@indbakke/shared/memo';
import type { IncomingDocument, IncomingFile } from '../intake/incoming-message.js';

/** All documents of a MeMo in order: the main one, the additional ones, the technical ones. */
export function documentsOf({ body }: Memo, sealed: readonly SealedFile[]): IncomingDocument[] {
  const { mainDocument, additionalDocuments = [], technicalDocuments = [] } = body ?? {};
  const document = (
    role: IncomingDocument['role'],
    documentId: string | undefined,
    { label, files }: { label?: string; files: readonly MemoFile[] },
  ) => ({ role, documentId, label, files: files.map((file) => asIncoming(file, sealed)) });
  return [
    ...(mainDocument ? [document('main', mainDocument.mainDocumentID, mainDocument)] : []),
    ...additionalDocuments.map((each) => document('additional', each.additionalDocumentID, each)),
    ...technicalDocuments.map((each) => document('technical', each.technicalDocumentID, each)),
  ];
}

function asIncoming(
  { filename = '', encodingFormat = '', language = '', content }: MemoFile,
  sealed: readonly SealedFile[],
): IncomingFile {
  // A File without content is kept by name, as missing.
  return {
    fileName: filename,
    encodingFormat,
    detectedFormat: content?.detectedFormat ?? null,
    language,
    content: (content && sealed[content.index]) ?? 'missing',
  };
}
