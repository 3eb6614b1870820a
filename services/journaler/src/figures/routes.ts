import { CSV, OPERATIONS } from '@indbakke/shared/api';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { writeSheet } from '@indbakke/shared/excel';
import type { Bind, Call } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { sheetName, TRAINING_MARK } from '@indbakke/shared/training';
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
    const figures = await read(call);
    const csv = writeCsv(COLUMNS, rowsOf(figures), figures.isTraining ? TRAINING_MARK : undefined);
    call.res.attachment(`indkomne-dokumenter-tal-${danishDayOf(call.at)}.csv`).type(`${CSV}; charset=utf-8`);
    call.res.end(csv);
  });
  bind(OPERATIONS.downloadFiguresAsExcel, async (call) => {
    const figures = await read(call);
    const sheet = writeSheet(sheetName('Tal', figures.isTraining), COLUMNS, rowsOf(figures));
    await sendSheet(sheet, 'indkomne-dokumenter-tal', call);
  });
}
