import { existsSync } from 'node:fs';
import pg from 'pg';
import { CHROMIUM, openBrowser } from '../../testkit/browser.js';
import { CASEWORKER_ROLES, issueToken } from '../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import { addOpen, fill, registerMunicipalities } from './inbox/fill.js';
import { percentile, rounded, spread } from './measure.js';
import type { Place } from './place.js';

const LETTERS = { messages: 5_000, open: 100 };
const PENDING = [50_000, 100_000];
const TURNS = 100;
const QUICK = { pending: [500], turns: 3 };
const LIMIT_MS = 200;

export const inboxPage: Bench = {
  name: 'inbox-page',
  measures: 'A page turn of the list in the browser.',

  async run(place: Place, size: Size): Promise<Outcome> {
    if (!existsSync(CHROMIUM)) throw new Error(`There is no ${CHROMIUM}. Install Debian’s chromium, or set CHROMIUM.`);
    const { pending, turns } = size.quick ? QUICK : { pending: PENDING, turns: TURNS };
    const { ownerUrl } = place.database;
    await registerMunicipalities(ownerUrl);
    const owner = new pg.Client({ connectionString: ownerUrl });
    await owner.connect();
    place.atEnd(() => owner.end());
    await fill(owner, ownerUrl, LETTERS);
    const { url } = await place.start('ours/journaler', { env: { INBOX_PAGE: 'on' } });

    const browser = await openBrowser();
    try {
      const { page } = await browser.open({ locale: 'da-DK', viewport: { width: 1400, height: 1_000 } });
      await page.goto(`${url}/inbox/sign-in`);
      const user = { user: 'caseworker-1', teams: ['team-1'], roles: CASEWORKER_ROLES };
      await page.getByLabel('Token').fill(await issueToken(place.paths, user));
      await page.getByRole('button', { name: 'Log ind' }).click();
      await page.locator('.letters tbody tr').first().waitFor();
      const p95s: number[] = [];
      const rows: string[][] = [];
      let letters = 0;
      for (const wanted of pending) {
        await addOpen(owner, { ...LETTERS, messages: LETTERS.messages + letters }, wanted - letters);
        letters = wanted;
        await page.reload();
        await page.locator('.letters tbody tr').first().waitFor();
        const took: number[] = [];
        for (let turn = 0; turn < turns; turn += 1) took.push(await page.evaluate<number>(TURN));
        const p95 = rounded(percentile(took, 95));
        p95s.push(p95);
        rows.push([`next of ${wanted} letters, 50 on a page`, spread(took), String(p95), String(turns)]);
      }
      return {
        columns: ['page', 'ms, median (least–most)', 'p95', 'turns'],
        rows,
        figures: { pending: letters, page_turn_p95_ms: Math.max(...p95s) },
        goals: [atMost('p95 of a page turn', Math.max(...p95s), LIMIT_MS, ' ms')],
        notes: [
          'From the click until the browser has painted the new rows. Server, PostgreSQL and browser share the machine.',
        ],
      };
    } finally {
      await browser.close();
    }
  },
};

/** Turns to the next page, and answers how long it took until its rows were painted. */
const TURN = `new Promise((resolve) => {
  const first = () => document.querySelector('.letters tbody tr')?.dataset.id;
  const before = first();
  const began = performance.now();
  const watcher = new MutationObserver(() => {
    if (first() === before) return;
    watcher.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  });
  watcher.observe(document.getElementById('list'), { childList: true, subtree: true, attributes: true });
  [...document.querySelectorAll('.pager button')].at(-1).click();
})`;
