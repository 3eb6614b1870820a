import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { html } from '@indbakke/shared/html';
import { EXACT_PATHS, logProblem, publicPrefixOf, readForm, sayWhenToRetry, toProblem } from '@indbakke/shared/http';
import { currentCorrelationId, describeError } from '@indbakke/shared/log';
import { SealedCookie } from '@indbakke/shared/sign-in';
import { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { OperationsParts } from '../sections/section.js';
import { SECTIONS } from '../sections/sections.js';
import { isNavigation, requireOperator, signedInOperator } from '../sign-in/guard.js';
import { formatIn, type Language } from './language.js';
import { showOverview } from './overview.js';
import type { Action, Input, Page, PageLink } from './page.js';
import { PAGES } from './pages.js';
import { type Frame, sendPage } from './send-page.js';
import { languageOf, TEXTS } from './texts.js';

const MAX_BODY = 4 * KiB;
const ANSWER_SECONDS = 60;

const Answer = z.object({ sentence: z.string(), isDone: z.boolean() });
type Answer = z.infer<typeof Answer>;

/** `/ops` with every section, and a page for each thing that needs acting on, with its actions. */
export function operationsPages(parts: OperationsParts): Router {
  // What became of an action, until the page that follows shows it.
  const answers = new SealedCookie<Answer>(parts.keys, {
    name: 'indbakke-answer',
    value: Answer,
    path: '/ops',
    seconds: ANSWER_SECONDS,
    sameSite: 'strict',
  });
  const router = Router(EXACT_PATHS);
  const guard = requireOperator(parts);

  const send = (req: Request, res: Response, frame: Frame) => {
    const answer = answers.read(req);
    if (answer) answers.clear(req, res);
    const tone = answer?.isDone ? 'alert-success' : 'alert-warning';
    const body = html`${answer && html`<div class="alert ${tone}" role="status">${answer.sentence}</div>`}${frame.body}`;
    sendPage(req, res, { ...frame, body, links: linksIn(languageOf(req, res)) });
  };

  router.get('/ops', guard, async (req, res) => {
    const language = languageOf(req, res);
    const base = `${publicPrefixOf(req)}/ops`;
    const body = await showOverview(parts, { language, sections: SECTIONS, pages: PAGES, base });
    send(req, res, { title: TEXTS[language].overview, body, isFresh: true });
  });

  for (const page of PAGES) {
    router.get(`/ops/${page.name}`, guard, async (req, res) => {
      const language = languageOf(req, res);
      const body = await page.show(parts, language, formatIn(language), `${publicPrefixOf(req)}/ops`);
      const fresh = html`<div data-fresh id="page-${page.name}">${body}</div>`;
      send(req, res, { title: page.texts[language].title, body: fresh, isFresh: true });
    });
    for (const [name, action] of Object.entries(page.actions)) {
      const path = `/ops/${page.name}/${name}`;
      router.get(path, guard, (req, res) => {
        const language = languageOf(req, res);
        const { language: _, ...given } = req.query;
        send(req, res, askFrame(req, page, action, language, inputOf(action, given)));
      });
      router.post(path, guard, readForm(MAX_BODY), async (req, res) => {
        res.locals.operation = `POST ${path}`;
        const language = languageOf(req, res);
        answers.set(req, res, await answerTo(parts, action, language, req, res));
        res.redirect(303, `${publicPrefixOf(req)}/ops/${page.name}`);
      });
    }
  }

  router.use('/ops', showError(parts.log));
  return router;
}

/** @throws Problem bad-request when it is not what the action takes */
function inputOf({ input }: Action, given: unknown): Input {
  const parsed = input.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Problem('bad-request', 'That is not a link or form of this page.', { cause: parsed.error });
}

const linksIn = (language: Language): PageLink[] =>
  PAGES.map(({ name, texts }) => ({ name, title: texts[language].title }));

/** The question of an action, with its answers: yes, or back. */
function askFrame(req: Request, { name }: Page, action: Action, language: Language, input: Input): Frame {
  const texts = TEXTS[language];
  const prefix = publicPrefixOf(req);
  const fields = Object.entries(input).map(
    ([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`,
  );
  return {
    title: texts.sure,
    body: html`<form class="question" method="post" action="${prefix}${req.path}">${fields}
<p>${action.ask(input, language, formatIn(language))}</p>
<p class="answers"><button class="button button-primary" type="submit">${texts.yes}</button>
<a class="button button-secondary" href="${prefix}/ops/${name}">${texts.cancel}</a></p></form>`,
  };
}

async function answerTo(
  parts: OperationsParts,
  action: Action,
  language: Language,
  req: Request,
  res: Response,
): Promise<Answer> {
  const input = inputOf(action, req.body ?? {});
  try {
    const answered = await action.run(parts, signedInOperator(res), input);
    return { sentence: answered(language, formatIn(language)), isDone: true };
  } catch (error) {
    const problem = toProblem(error);
    if (problem.row.fault !== 'peer') throw error;
    parts.log.info('refused', describeError(problem));
    return { sentence: TEXTS[language].tooLate, isDone: false };
  }
}

/** A page that says what is wrong, where a person reads it. */
function showError(log: OperationsParts['log']): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent || !(isNavigation(req) || req.method === 'POST')) return next(error);
    const problem: Problem = toProblem(error);
    logProblem(log, problem);
    const texts = TEXTS[languageOf(req, res)];
    sayWhenToRetry(res.status(problem.row.http), problem);
    sendPage(req, res, {
      title: texts.failed,
      body: html`<p><code>${problem.code}</code> <span lang="en">${problem.row.meaning}</span></p>
<p>${texts.correlation}: <code>${currentCorrelationId()}</code></p>
<p><a class="button button-secondary" href="${publicPrefixOf(req)}/ops">${texts.back}</a></p>`,
    });
  };
}
