import type { Principal } from '@indbakke/shared/access';
import { currentTime } from '@indbakke/shared/clock';
import { type Html, html } from '@indbakke/shared/html';
import type { z } from 'zod';
import type { OperationsParts } from '../sections/section.js';
import type { Format, InBoth, Language } from './language.js';
import { TEXTS, type Texts } from './texts.js';

// A page for what needs acting on. Each of its actions asks first, is audited, and answers in a sentence.

/** Of an action: who does it, and what was in its link. */
export type Input = Readonly<Record<string, string>>;

interface ActionDefinition<Given extends Input, Outcome, OwnTexts> {
  readonly input: z.ZodType<Given>;
  /** Whether to do it, as a question; and what then happens. */
  ask(input: Given, texts: OwnTexts, format: Format): string;
  /** Does it, and writes it to the audit log. @throws Problem when it can no longer be done */
  act(parts: OperationsParts, operator: Principal, input: Given): Promise<Outcome>;
  /** What became of it, as a sentence. */
  answer(outcome: Outcome, texts: OwnTexts, format: Format): string;
}

/** An action of a page, whatever its input. */
export interface Action {
  readonly input: z.ZodType<Input>;
  ask(input: Input, language: Language, format: Format): string;
  run(parts: OperationsParts, operator: Principal, input: Input): Promise<Answered>;
}

/** What became of an action, in the language of who reads it. */
export type Answered = (language: Language, format: Format) => string;

/** What a page shows is made with. */
export interface Show<OwnTexts> {
  readonly texts: OwnTexts;
  readonly common: Texts;
  readonly format: Format;
  readonly now: Date;
  /** A button that leads to the question of an action. @param about what it is about, for who cannot see the row */
  button(action: string, label: string, input: Input, about: string): Html;
}

export interface PageLink {
  readonly name: string;
  readonly title: string;
}

interface PageTexts {
  readonly title: string;
}

interface PageDefinition<OwnTexts extends PageTexts> {
  /** Of its path, `/ops/NAME`; the section that leads to it has the same one. */
  readonly name: string;
  readonly texts: InBoth<OwnTexts>;
  show(parts: OperationsParts, show: Show<OwnTexts>): Promise<Html>;
  readonly actions: Readonly<Record<string, (texts: InBoth<OwnTexts>) => Action>>;
}

/** A page, whatever its texts. */
export interface Page {
  readonly name: string;
  readonly texts: InBoth<PageTexts>;
  show(parts: OperationsParts, language: Language, format: Format, base: string): Promise<Html>;
  readonly actions: Readonly<Record<string, Action>>;
}

export function defineAction<Given extends Input, Outcome, OwnTexts>({
  input,
  ask,
  act,
  answer,
}: ActionDefinition<Given, Outcome, OwnTexts>): (texts: InBoth<OwnTexts & object>) => Action {
  return (texts) => ({
    input: input as unknown as z.ZodType<Input>,
    ask: (given, language, format) => ask(given as Given, texts[language], format),
    async run(parts, operator, given) {
      const outcome = await act(parts, operator, given as Given);
      return (language, format) => answer(outcome, texts[language], format);
    },
  });
}

export function definePage<OwnTexts extends PageTexts>({ name, texts, show, actions }: PageDefinition<OwnTexts>): Page {
  return {
    name,
    texts,
    show: (parts, language, format, base) =>
      show(parts, {
        texts: texts[language],
        common: TEXTS[language],
        format,
        now: currentTime(),
        button: (action, label, input, about) =>
          html`<a class="button button-secondary" href="${base}/${name}/${action}?${String(
            new URLSearchParams(input),
          )}" id="${[action, ...Object.values(input)].join('-')}">${label}<span class="sr-only"> ${about}</span></a>`,
      }),
    actions: Object.fromEntries(Object.entries(actions).map(([action, define]) => [action, define(texts)])),
  };
}
