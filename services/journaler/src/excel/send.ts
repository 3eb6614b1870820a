import type { Readable } from 'node:stream';
import { EXCEL, type Operation } from '@indbakke/shared/api';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { type Call, sendStream } from '@indbakke/shared/http';

/** Answers with an Excel file, named with the Danish day: `indkomne-dokumenter-2026-11-02.xlsx`. */
export async function sendSheet(sheet: Readable, name: string, { at, res }: Pick<Call<Operation>, 'at' | 'res'>) {
  res.attachment(`${name}-${danishDayOf(at)}.xlsx`).type(EXCEL);
  await sendStream(sheet, res);
}
