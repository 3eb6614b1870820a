import type { Readable } from 'node:stream';
import type { Principal } from '@indbakke/shared/access';
import type { DocumentSummary, ExportBody } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { writeSheet } from '@indbakke/shared/excel';
import type { Parts } from '@indbakke/shared/service';
import { sheetNameFor } from '@indbakke/shared/training';
import { auditOfList } from '../inbox/audit-list.js';
import { COLUMNS, LIST_SHEET } from './columns.js';
import { readPages } from './read-pages.js';

export type ExportParts = Pick<Parts, 'store' | 'keys'>;

/**
 * The messages of a list or search as an Excel file, which is read from the database as it is sent. The audit log has that it
 * began before the first byte, and then how many rows left: also of a file that was broken off. A file whose end could not be
 * recorded has no end.
 */
export async function openExport(parts: ExportParts, principal: Principal, list: ExportBody): Promise<Readable> {
  const pages = readPages(parts, principal, list);
  const first = await pages.next(); // whatever fails here is still a problem, not half a file
  const name = await sheetNameFor(parts.store, principal.municipality, LIST_SHEET);
  await record('export-began');
  return writeSheet(name, COLUMNS, readRows());

  function record(action: 'export-began' | 'exported', details?: { rows: number; isWhole: boolean }): Promise<void> {
    const entry = auditOfList(parts.keys, principal, { action, at: currentTime() }, list);
    return recordAudit(parts.store, { ...entry, details: { ...entry.details, ...details } });
  }

  async function* readRows(): AsyncGenerator<DocumentSummary> {
    let rows = 0;
    let isWhole = false;
    try {
      for (let page = first; !page.done; page = await pages.next()) {
        for (const document of page.value) {
          rows += 1;
          yield document;
        }
      }
      isWhole = true;
    } finally {
      await record('exported', { rows, isWhole });
    }
  }
}
