import { parseCsv, readXlsx } from 'hucre';
import { KiB } from '../config/index.js';
import { Problem } from '../errors/index.js';

/** A row as texts by its headings; an empty cell is absent. */
export type TableRow = Readonly<Record<string, string>>;

// Unpacked it is a thousand times as much at worst, and all of it is held in memory. Two thousand rows take about 100 KiB.
const MAX_EXCEL = 256 * KiB;
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
  const { sheets } = await readXlsx(bytes, { sheets: [0] }).catch((cause: unknown) => {
    throw new Problem('bad-request', NOT_A_TABLE, { path: 'body', cause });
  });
  return rowsIn(sheets[0]?.rows ?? []);
}

/** The same of CSV in UTF-8, with `;` or `,` between the cells. @throws Problem bad-request */
export function readCsvTable(bytes: Buffer): TableRow[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('bad-request', 'The body is not in UTF-8.', { path: 'body', cause });
  }
  const [headings = ''] = text.split('\n', 1);
  return rowsIn(parseCsv(text, { delimiter: headings.includes(';') ? ';' : ',' }));
}

function rowsIn([headings = [], ...rows]: readonly (readonly unknown[])[]): TableRow[] {
  const names = headings.map((heading) => String(heading ?? '').trim());
  if (new Set(names).size < names.length) {
    throw new Problem('bad-request', 'line 1: must have each heading once.', { path: 'body' });
  }
  return rows.map((cells) => {
    const told = names.map((name, at) => [name, String(cells[at] ?? '').trim()] as const);
    return Object.fromEntries(told.filter(([, text]) => text !== ''));
  });
}
