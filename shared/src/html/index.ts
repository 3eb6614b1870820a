/** A piece of a page, already escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: pieces of a page as they are, everything else escaped; `undefined` and `false` are nothing. */
export type Part = Html | string | number | false | undefined | readonly Part[];

/** A template of a page: html`<p>${text}</p>`. Attributes are written with double quotes. */
export function html(texts: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(texts.reduce((page, text, at) => page + written(parts[at - 1]) + text));
}

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(written).join('');
  return part === undefined || part === false ? '' : escaped(String(part));
}

const escaped = (plain: string) =>
  plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
