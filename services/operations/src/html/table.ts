import { type Html, html, type Part } from '@indbakke/shared/html';

export interface Column<Row> {
  readonly heading: string;
  readonly of: (row: Row) => Part;
  /** Aligned to the right, with figures of equal width. */
  readonly isNumber?: boolean;
}

/**
 * A table that can be scrolled sideways where it is wider than the screen. The first column names the row.
 *
 * @param none what is said instead when there are no rows
 */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  none?: string,
): Html {
  if (rows.length === 0 && none !== undefined) return html`<p>${none}</p>`;
  const classOf = ({ isNumber }: Column<Row>) => (isNumber ? html` class="number"` : undefined);
  const cell = (row: Row, column: Column<Row>, at: number) =>
    at === 0
      ? html`<th scope="row"${classOf(column)}>${column.of(row)}</th>`
      : html`<td${classOf(column)}>${column.of(row)}</td>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.heading}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column, at) => cell(row, column, at))}</tr>`)}</tbody>
</table></div>`;
}
