import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import { sendSheet } from '../excel/send.js';
import { type ExportParts, openExport } from './export-documents.js';

/** A list or search as an Excel file. */
export function bindExport(bind: Bind, parts: ExportParts): void {
  bind(OPERATIONS.exportIncomingDocuments, async (call) =>
    sendSheet(await openExport(parts, call.principal, call.body), 'indkomne-dokumenter', call),
  );
}
