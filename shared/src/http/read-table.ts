import { readXlsx } from 'hucre';
import { KiB, MiB } from '../config/index.js';
import { csvRows } from '../csv/index.js';
import { Problem } from '../errors/index.js';
import { isLargerUnpacked } from './zip-bomb.js';

/** A row as texts by its headings; an empty cell is absent. */
export type TableRow = Readonly<Record<string, string>>;

// Two thousand rows take about 100 KiB, and 2 MiB unpacked. All of it is held in memory, several times, and parsed at one go: a zip
// could make a thousand times as much of its size.
const MAX_EXCEL = 256 * KiB;
const MAX_UNPACKED = 8 * MiB;
const NOT_A_TABLE = 'The body is no such table, or is damaged.';

/**
 * The rows of the first sheet of an Excel file, below its headings.
 *
 * @throws Problem bad-request, too-large
 */
export async function readExcelTable(bytes: Buffer): Promise<TableRow[]> {
  if (bytes.length > MAX_EXCEL) {
    throw new Problem('too-large', `An Excel file must not be larger than ${MAX_EXCEL / KiB} KiB. Send it as CSV.`);
  }
  try {
    if (!isLargerUnpacked(bytes, MAX_UNPACKED)) {
      const { sheets } = await readXlsx(bytes, { sheets: [0] });
      return rowsIn(sheets[0]?.rows ?? []);
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem('bad-request', NOT_A_TABLE, { path: 'body', cause });
  }
  throw new Problem('too-large', `Unpacked, an Excel file must not be larger than ${MAX_UNPACKED / MiB} MiB.`);
}

/** The same of CSV in UTF-8, with `;` or `,` between the cells. @throws Problem bad-request */
export function readCsvTable(bytes: Buffer): TableRow[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('bad-request', 'The body is not in UTF-8.', { path: 'body', cause });
  }
  return rowsIn(csvRows(text));
}

/** Rows and columns at the end that are empty are not told: spreadsheets are full of them. */
function rowsIn([headings = [], ...rows]: readonly (readonly unknown[])[]): TableRow[] {
  const names = headings.map(textOf);
  const told = names.filter((name) => name !== '');
  if (new Set(told).size < told.length) {
    throw new Problem('bad-request', 'line 1: must have each heading once.', { path: 'body' });
  }
  const last = rows.findLastIndex((cells) => cells.some((cell) => textOf(cell) !== ''));
  return rows.slice(0, last + 1).map((cells, index) => {
    const filled = cells.map((cell, at) => [names[at] ?? '', textOf(cell)] as const).filter(([, text]) => text !== '');
    if (filled.some(([name]) => name === '')) {
      throw new Problem('bad-request', `line ${index + 2}: has a cell without a heading.`, { path: 'body' });
    }
    return Object.fromEntries(filled);
  });
}

const textOf = (cell: unknown) => String(cell ?? '').trim();
