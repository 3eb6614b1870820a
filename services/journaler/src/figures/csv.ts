import type { Column } from '@indbakke/shared/excel';

/**
 * A table as CSV for Danish Excel: UTF-8 with a byte order mark (else Excel reads æøå as Windows-1252), semicolons, commas in
 * numbers (it reads 3.5 as 3 May), and days in ISO 8601, which it reads as dates.
 *
 * @param mark a line above the table
 */
export function writeCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[], mark?: string): string {
  const above = mark === undefined ? [] : [[mark]];
  const table = [
    ...above,
    columns.map(({ heading }) => heading),
    ...rows.map((row) => columns.map(({ of }) => of(row))),
  ];
  return `\ufeff${table.map((cells) => `${cells.map(toField).join(';')}\r\n`).join('')}`;
}

function toField(value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value).replace('.', ',');
  const text = isFormula(String(value)) ? `'${value}` : String(value);
  return /[";\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Whether Excel would compute it: a name of a contact point may begin with anything. */
function isFormula(text: string): boolean {
  return /^[=+\-@\t\r]/.test(text);
}
