import { type AuditFilter, type AuditSheetBody, OPERATIONS, PDF } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { type LogParts, readLog, readMunicipalityName, writeSheetPdf } from '@indbakke/shared/audit-log';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { writeSheet } from '@indbakke/shared/excel';
import { type Bind, type Call, sendStream } from '@indbakke/shared/http';
import { sheetNameFor } from '@indbakke/shared/training';
import { sendSheet } from '../excel/send.js';
import { LOG_COLUMNS, SHEET_COLUMNS } from './columns.js';
import { auditOf, listAuditEvents } from './list-log.js';

/** The audit log: who did what. Who reads it is in it as well, before the first byte is sent. */
export function bindAudit(bind: Bind, parts: LogParts): void {
  bind(OPERATIONS.listAuditEvents, ({ principal, query }) => listAuditEvents(parts, principal, query, 'query.cursor'));
  bind(OPERATIONS.searchAuditEvents, ({ principal, body }) => listAuditEvents(parts, principal, body, 'body.cursor'));
  bind(OPERATIONS.exportAuditEvents, (call) => sendLog(parts, call, call.body));
  bind(OPERATIONS.makeAuditSheet, (call) => sendCitizensSheet(parts, call, call.body));
}

async function sendLog(parts: LogParts, call: Call<typeof OPERATIONS.exportAuditEvents>, filter: AuditFilter) {
  const { store, keys } = parts;
  await recordAudit(store, auditOf(keys, call.principal, 'log-exported', filter));
  const rows = readLog(parts, call.principal.municipality, until(call.at, filter));
  const sheet = await sheetNameFor(store, call.principal.municipality, 'Revisionslog');
  await sendSheet(writeSheet(sheet, LOG_COLUMNS, rows), 'revisionslog', call);
}

async function sendCitizensSheet(
  parts: LogParts,
  call: Call<typeof OPERATIONS.makeAuditSheet>,
  { as, ...filter }: AuditSheetBody,
) {
  const { store, keys } = parts;
  const { principal, at, res } = call;
  const { municipality } = principal;
  await recordAudit(store, auditOf(keys, principal, 'log-sheet-made', filter));
  const rows = readLog(parts, municipality, until(at, filter));
  if (as === 'xlsx') {
    const sheetName = await sheetNameFor(store, municipality, 'Udskrift af log');
    return sendSheet(writeSheet(sheetName, SHEET_COLUMNS, rows), 'udskrift-af-log', call);
  }
  const name = await readMunicipalityName(store, municipality);
  const period = { from: filter.from && new Date(filter.from), to: filter.to && new Date(filter.to) };
  const sheet = writeSheetPdf(
    { municipality: name, madeAt: at, from: period.from || undefined, to: period.to || undefined },
    rows,
  );
  res.attachment(`udskrift-af-log-${danishDayOf(at)}.pdf`).type(PDF);
  await sendStream(sheet, res);
}

/** Not the row of this reading itself, nor what follows while it is sent. */
function until(at: Date, filter: AuditFilter): AuditFilter {
  const now = at.toISOString();
  return { ...filter, to: filter.to !== undefined && filter.to < now ? filter.to : now };
}
