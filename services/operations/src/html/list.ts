import { type Html, html, type Part } from '@indbakke/shared/html';

/** Names and their values. */
export function list(rows: readonly (readonly [name: string, value: Part])[]): Html {
  return html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
