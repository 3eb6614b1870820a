import { CSV, OPERATIONS } from '@indbakke/shared/api';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { writeSheet } from '@indbakke/shared/excel';
import type { Bind, Call } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { sendSheet } from '../excel/send.js';
import { COLUMNS, rowsOf } from './columns.js';
import { writeCsv } from './csv.js';
import { readFigures } from './read-figures.js';

/** Figures for those who lead, in three forms. */
export function bindFigures(bind: Bind, { store }: Pick<Parts, 'store'>): void {
  const read = ({ principal, query, at }: Pick<Call<typeof OPERATIONS.readFigures>, 'principal' | 'query' | 'at'>) =>
    readFigures(store, principal.municipality, query, at);

  bind(OPERATIONS.readFigures, read);
  bind(OPERATIONS.downloadFiguresAsCsv, async (call) => {
    const csv = writeCsv(COLUMNS, rowsOf(await read(call)));
    call.res.attachment(`indkomne-dokumenter-tal-${danishDayOf(call.at)}.csv`).type(`${CSV}; charset=utf-8`);
    call.res.end(csv);
  });
  bind(OPERATIONS.downloadFiguresAsExcel, async (call) => {
    const rows = rowsOf(await read(call));
    await sendSheet(writeSheet('Tal', COLUMNS, rows), 'indkomne-dokumenter-tal', call);
  });
}
