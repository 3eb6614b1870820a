import { Readable } from 'node:stream';
import { type ColumnDef, writeXlsxStream } from 'hucre/xlsx';
import { danishTime } from '../danish-time/index.js';

// One sheet of Excel, for people in Denmark, written as it is read.

type CellValue = string | number | Date | null;

/**
 * A column: its Danish heading, its width in characters, and its value in a row: of a time a Date, which is shown in Danish
 * time, of a day `2026-11-02`.
 */
export interface Column<Row> {
  readonly heading: string;
  readonly width: number;
  readonly format: keyof typeof FORMATS;
  readonly of: (row: Row) => CellValue;
}

// As text, so that a number keeps its zeros, and `=1+1` stays what it is even when somebody edits the cell.
const FORMATS = { text: '@', number: 'General', time: 'dd-mm-yyyy hh:mm', day: 'dd-mm-yyyy' } as const;
const HEADING_STAYS = { rows: 1 };

/**
 * An Excel file of one sheet, with a row of headings that stays in view. Rows are read only as fast as the file is, and a
 * file that is not read to its end ends the reading. More rows than Excel has continue on another sheet.
 */
export function writeSheet<Row>(
  name: string,
  columns: readonly Column<Row>[],
  rows: AsyncIterable<Row> | Iterable<Row>,
): Readable {
  const definitions = columns.map(
    ({ heading, width, format }): ColumnDef => ({ header: heading, width, numFmt: FORMATS[format] }),
  );
  const stream = writeXlsxStream(cellsOf(rows, columns), { name, columns: definitions, freezePane: HEADING_STAYS });
  return Readable.from(stream, { objectMode: false });
}

async function* cellsOf<Row>(rows: AsyncIterable<Row> | Iterable<Row>, columns: readonly Column<Row>[]) {
  for await (const row of rows) yield columns.map(({ of, format }) => toCell(of(row), format));
}

function toCell(value: CellValue, format: keyof typeof FORMATS): CellValue {
  if (typeof value === 'string') return format === 'day' ? new Date(value) : toText(value);
  return value instanceof Date ? toTime(value) : value;
}

// Excel’s limit, in UTF-16 units.
const MAX_TEXT = 32_767;

/** XML 1.0 forbids what is replaced; hucre escapes control characters as ECMA-376, 22.9.2.19 does, but not such an escape. */
function toText(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replace(/_x[0-9a-f]{4}_/gi, '_x005F$&')
    .replace(/[\ufffe\uffff]/g, '\ufffd');
}

const FIRST_DAY = Date.UTC(1900, 2, 1); // the two months before have other numbers
const LAST_DAY = Date.UTC(9999, 11, 31);

/** Dates of Excel have no zone, and hucre writes the UTC of a Date. */
function toTime(at: Date): Date | string {
  const isDate = at.getTime() >= FIRST_DAY && at.getTime() < LAST_DAY;
  return isDate ? new Date(`${danishTime(at).replace(' ', 'T')}Z`) : at.toISOString();
}
