import { currentTime } from '@indbakke/shared/clock';
import { SECOND } from '@indbakke/shared/config';
import { type Html, html } from '@indbakke/shared/html';
import { describeError } from '@indbakke/shared/log';
import type { OperationsParts, Section, View } from '../sections/section.js';
import { formatIn, type Language } from './language.js';
import type { Page } from './page.js';
import { TEXTS } from './texts.js';

interface Overview {
  readonly language: Language;
  readonly sections: readonly Section[];
  readonly pages: readonly Page[];
  readonly base: string;
}

/** Every section, and first those that need acting on. */
export async function showOverview(
  parts: OperationsParts,
  { language, sections, pages, base }: Overview,
): Promise<Html> {
  const texts = TEXTS[language];
  const now = currentTime();
  const shown = await Promise.all(
    sections.map(async (section) => ({ name: section.name, view: await showSection(parts, section, now, language) })),
  );
  const concerns = shown.filter(({ view }) => view.concern !== undefined && view.concern !== texts.unreadable);
  const unread = shown.filter(({ view }) => view.concern === texts.unreadable);
  const linkTo = ({ name, view }: (typeof shown)[number]) => html`<a href="#${name}">${view.title}</a>`;
  const summary =
    concerns.length + unread.length === 0
      ? html`<div class="alert alert-success">${texts.allWell}</div>`
      : html`<div class="alert alert-warning"><h2>${texts.needsAction}</h2><ul>${concerns.map(
          (each) => html`<li>${linkTo(each)}: ${each.view.concern}</li>`,
        )}${unread.length > 0 && html`<li>${texts.unreadable}: ${unread.map((each, n) => html`${n > 0 && ', '}${linkTo(each)}`)}</li>`}</ul></div>`;
  const pageOf = (name: string) => pages.find((page) => page.name === name);
  return html`<div data-fresh id="summary">${summary}</div>
<div class="sections">${shown.map(
    ({ name, view }) => html`<section data-fresh id="${name}" aria-labelledby="${name}-title" tabindex="-1">
<h2 id="${name}-title">${view.title}</h2>
${view.concern !== undefined && html`<p class="concern"><span class="badge badge-warning">${texts.needsAction}</span> ${view.concern}</p>`}
${view.body}
${pageOf(name) && html`<p class="act"><a href="${base}/${name}">${texts.act(pageOf(name)?.texts[language].title ?? '')}</a></p>`}
</section>`,
  )}</div>`;
}

// The page shows all that can be read, also while the database is away.
const ANSWER_MS = 8 * SECOND;

async function showSection(parts: OperationsParts, section: Section, now: Date, language: Language): Promise<View> {
  const texts = TEXTS[language];
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time.')), ANSWER_MS);
  });
  try {
    return await Promise.race([section.show(parts, now, language, formatIn(language)), tooLate]);
  } catch (error) {
    parts.log.warn('section-unreadable', { section: section.name, ...describeError(error) });
    const { title } = section.texts[language];
    return { title, concern: texts.unreadable, body: html`<p>${texts.unreadableWhy}</p>` };
  } finally {
    clearTimeout(timer);
  }
}
