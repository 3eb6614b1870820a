import { type Html, html } from '@indbakke/shared/html';
import type { Format } from '../pages/language.js';
import type { Texts } from '../pages/texts.js';
import { table } from './table.js';

export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly times: readonly Date[];
  /** A line each, with a figure for each time; null is a gap. */
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

/** A small chart, and the same figures as a table. A script of ours draws it; without one, the table is there. */
export function chart(
  { id, title, times, series }: Chart,
  texts: Pick<Texts, 'figures' | 'when'>,
  format: Format,
): Html {
  const drawn = JSON.stringify({
    times: times.map((at) => Math.round(at.getTime() / 1_000)),
    series: series.map(({ label, values }) => ({ label, values })),
  });
  const columns = series.map(({ label, values }) => ({
    heading: label,
    of: (at: number) => (values[at] === null ? '–' : format.number(values[at] ?? 0)),
    isNumber: true,
  }));
  return html`<figure class="chart" id="${id}"><figcaption>${title}</figcaption>
<div class="plot" data-chart="${drawn}" aria-hidden="true"></div>
<details id="${id}-figures"><summary>${texts.figures}<span class="sr-only">: ${title}</span></summary>${table(
    title,
    [{ heading: texts.when, of: (at: number) => format.time(times[at] as Date) }, ...columns],
    times.map((_, at) => at),
  )}</details></figure>`;
}
