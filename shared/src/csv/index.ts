import { parseCsv } from 'hucre';

/** The cells of CSV, trimmed, with `;`, `,` or tabs between them: whichever the first line has most of. */
export function csvRows(text: string): string[][] {
  const [firstLine = ''] = text.split('\n', 1);
  const count = (character: string) => firstLine.split(character).length;
  const delimiter = [';', ',', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best));
  return parseCsv(text, { delimiter }).map((cells) => cells.map((cell) => String(cell ?? '').trim()));
}
