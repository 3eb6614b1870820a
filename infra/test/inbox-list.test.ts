// @module-tag long
import { existsSync } from 'node:fs';
import type { DocumentSummary } from '@indbakke/shared/api';
import { DAY } from '@indbakke/shared/config';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, deliverMemo, list } from '../../shared/test/inbox/support.js';
import { CHROMIUM, openBrowser, type WatchedBrowser, type WatchedPage } from '../src/testkit/browser.js';
import {
  CASEWORKER_ROLES,
  CONTACT_POINT,
  startTestStack,
  type TestStack,
  type TokenOptions,
} from '../src/testkit/stack.js';
import type { MemoSpec } from '../src/testkit/write-memo.js';
import { violationsOf } from './support/axe.js';
import { look, openInbox } from './support/inbox-page.js';

// The list of the inbox page in Chromium: a distributor's day, by keyboard only.

const DISTRIBUTOR: TokenOptions = { user: 'fordeler-1', roles: [...CASEWORKER_ROLES], teams: ['team-modtagelsen'] };
const ADVERTISEMENTS = 60;
const LETTERS = 56;

const HOSTILE: readonly MemoSpec[] = [
  {
    subject: '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>',
    sender: { id: '4101019999', name: '"><svg onload="window.ran = 1">' },
  },
  {
    subject: 'Regning \u202Eexe.fdp\u202C og \u2067mere\u2069',
    sender: { id: '4101019999', name: '\u202EnesetseT tseT' },
  },
  { subject: `Meget${'langt'.repeat(80)}`, sender: { id: '4101019999', name: 'W'.repeat(200) } },
  { subject: '{{7*7}} javascript:window.ran=1', sender: { id: '4101019999', name: '__proto__' } },
];

describe.skipIf(!existsSync(CHROMIUM))('the list, in Chromium,', () => {
  let stack: TestStack;
  let browser: WatchedBrowser;

  beforeAll(async () => {
    stack = await startTestStack({ INBOX_PAGE: 'on' });
    browser = await openBrowser();
    for (let n = 1; n <= ADVERTISEMENTS; n += 1) await deliverMemo(stack, { subject: `Reklame ${n}` });
    for (let n = 1; n <= LETTERS; n += 1) {
      const replyBy = n % 7 === 0 ? new Date(Date.now() + (n % 2 === 0 ? DAY : -DAY)).toISOString() : undefined;
      await deliverMemo(stack, {
        subject: `Ansøgning ${n}`,
        createdDateTime: new Date(Date.now() - 2 * DAY).toISOString(),
        contactPointId: CONTACT_POINT,
        ...(replyBy !== undefined && { replyBy }),
      });
    }
    const { items } = await list(stack, '?limit=6&sort=-receivedAt');
    for (const { id } of items.slice(0, 3)) await change(stack, 'PUT', `${id}/concern`, { body: {}, version: 1 });
    await stack.sql(`UPDATE messages SET concern_assess_by = now() - interval '3 hours' WHERE id = $1`, [items[0]?.id]);
    for (const memo of HOSTILE) await deliverMemo(stack, memo);
  });

  afterAll(async () => {
    await browser.close();
    await stack.close();
  });

  const open = async (
    as: TokenOptions = DISTRIBUTOR,
    options: Parameters<WatchedBrowser['open']>[0] = {},
  ): Promise<WatchedPage> => {
    const watched = await openInbox(browser, stack, as, { viewport: { width: 1400, height: 900 }, ...options });
    await watched.page.locator('.letters tbody tr').first().waitFor();
    return watched;
  };
  const rows = (page: Page) => page.locator('.letters tbody tr');
  const focusedId = (page: Page) =>
    page.evaluate<string | null>(`document.activeElement.closest('tr')?.dataset.id ?? null`);
  const firstId = (page: Page) => rows(page).first().getAttribute('data-id');
  /** Goes on with Tab, or back, to what has this name. */
  async function tabTo(page: Page, name: string | RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const isThere = typeof name === 'string' ? (text: string) => text === name : (text: string) => name.test(text);
    for (let presses = 0; presses < 400; presses += 1) {
      const text = await page.evaluate<string>(
        `(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()`,
      );
      if (isThere(text)) return;
      await page.keyboard.press(key);
    }
    throw new Error(`nothing with the name ${name}`);
  }
  async function search(page: Page, words: string, shown: number): Promise<void> {
    await page.keyboard.press('/');
    await page.keyboard.press('Control+a');
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
    await expect.poll(() => rows(page).count()).toBe(shown);
  }

  it('a distributor assigns, rejects, turns pages, opens and comes back, by keyboard only', async () => {
    const { page, complaints } = await open();
    const { keyboard } = page;
    expect(await rows(page).count()).toBe(50);

    // Two letters are assigned, of which a colleague had one, and that is undone.
    const { items: newest } = await list(stack, '?limit=1&sort=-receivedAt');
    const [had] = newest as unknown as [{ id: string; version: number }];
    await change(stack, 'PUT', `${had.id}/assignment`, {
      body: { assignee: { kind: 'user', id: 'sagsbehandler-4' } },
      version: had.version,
    });
    await expect.poll(() => rows(page).filter({ hasText: 'sagsbehandler-4' }).count()).toBe(1);
    await keyboard.press('j');
    expect(await focusedId(page)).toBe(await firstId(page));
    await keyboard.press('x');
    await keyboard.press('ArrowDown');
    await keyboard.press('x');
    await page.getByText('2 valgt').waitFor();
    await keyboard.press('t');
    await page.getByRole('dialog', { name: 'Tildel 2 breve' }).waitFor();
    // Fortryd is what takes back something that was done.
    expect(await page.getByRole('dialog').getByRole('button').allTextContents()).toEqual(['Tildel', 'Annullér']);
    await keyboard.type('sagsbehandler-1');
    await keyboard.press('Enter');
    await page.getByText('2 af 2 breve er tildelt.').waitFor();
    await expect.poll(() => rows(page).filter({ hasText: 'sagsbehandler-1' }).count()).toBe(2);
    await tabTo(page, 'Fortryd');
    await keyboard.press('Enter');
    await page.getByText('Tildelingen af 2 af 2 breve er som før.').waitFor();
    await expect.poll(() => rows(page).filter({ hasText: 'sagsbehandler-1' }).count()).toBe(0);
    expect(await rows(page).filter({ hasText: 'sagsbehandler-4' }).count()).toBe(1);

    // The next page, and back.
    const onFirst = await firstId(page);
    await keyboard.press('n');
    await expect.poll(() => firstId(page)).not.toBe(onFirst);
    await page.getByText('Breve 51–100 af 120').first().waitFor();
    expect(await focusedId(page)).toBe(await firstId(page));
    await keyboard.press('p');
    await expect.poll(() => firstId(page)).toBe(onFirst);

    // What one types is text: the single keys of the list do nothing meanwhile.
    await search(page, 'xnpat?', 0);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await search(page, 'Reklame', 50);
    await keyboard.press('ArrowDown');
    expect(await focusedId(page)).toBe(await firstId(page));

    // All that match are rejected; somebody else was first with one of them.
    await keyboard.press('x');
    await tabTo(page, /^Vælg alle, der passer/, 'Shift+Tab');
    await keyboard.press('Enter');
    await page.getByText(`${ADVERTISEMENTS} valgt`).waitFor();
    const { items } = await list(stack, '?limit=1&sort=receivedAt');
    const [taken] = items as unknown as [{ id: string; version: number }];
    await change(stack, 'PUT', `${taken.id}/assignment`, {
      body: { assignee: { kind: 'user', id: 'sagsbehandler-2' } },
      version: taken.version,
    });
    await page.getByRole('heading', { level: 1 }).focus();
    await keyboard.press('a');
    await page.getByRole('dialog', { name: `Afvis ${ADVERTISEMENTS} breve` }).waitFor();
    await page.getByLabel('Uønsket, fx reklame eller chikane').focus();
    await keyboard.press('Space');
    await page.getByLabel('Begrundelse').focus();
    await keyboard.type('Reklame for møbler');
    await page.getByLabel('Der er intet at gøre').focus();
    await keyboard.press('Space');
    await look(page, 'list-reject');
    await page.getByRole('dialog').getByRole('button', { name: 'Afvis' }).focus();
    await keyboard.press('Enter');
    await page.getByText(`${ADVERTISEMENTS - 1} af ${ADVERTISEMENTS} breve er afvist.`).waitFor();
    await page.getByText('1: en anden var først.').waitFor();
    await page.getByText('1 valgt').waitFor();
    await look(page, 'list-rejected');
    await tabTo(page, 'Fortryd');
    await keyboard.press('Enter');
    await page.getByText(`${ADVERTISEMENTS - 1} af ${ADVERTISEMENTS - 1} breve er genåbnet.`).waitFor();
    await tabTo(page, 'Fravælg alle', 'Shift+Tab');
    await keyboard.press('Enter');

    // A letter is opened, and one is where one was.
    await expect.poll(() => rows(page).count()).toBe(50);
    await page.getByRole('heading', { level: 1 }).focus();
    for (const key of ['j', 'j', 'j', 'k', 'j']) await keyboard.press(key);
    const opened = await focusedId(page);
    await keyboard.press('Enter');
    await page.waitForURL(`**/inbox/letters/${opened}`);
    await page.goBack();
    await expect.poll(() => focusedId(page)).toBe(opened);
    expect(await page.getByLabel('Søg', { exact: true }).inputValue()).toBe('Reklame');

    // The keys are told, and can be switched off.
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Genvejstaster' }).waitFor();
    await page.getByLabel('Brug enkelte taster som genveje').focus();
    await keyboard.press('Space');
    await keyboard.press('Escape');
    await keyboard.press('j');
    expect(await focusedId(page)).toBe(opened);
    await keyboard.press('ArrowDown');
    expect(await focusedId(page)).not.toBe(opened);
    // Who goes to another page does not wait for changes of this one any more.
    expect(complaints.filter((text) => !/events\?.*ERR_ABORTED/.test(text))).toEqual([]);
  });

  it('a change shows by itself, and focus, selection and place stay', async () => {
    const { page, complaints } = await open();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    for (let presses = 0; presses < 20; presses += 1) await page.keyboard.press('j');
    const focused = await focusedId(page);
    const top = () => page.evaluate<number>('Math.round(document.activeElement.getBoundingClientRect().top)');
    const before = await top();
    await deliverMemo(stack, { subject: 'Nyt imens' });
    await page.getByText('1 nyt brev').waitFor();
    expect(await rows(page).first().textContent()).toContain('Nyt imens');
    expect(await focusedId(page)).toBe(focused);
    expect(Math.abs((await top()) - before)).toBeLessThan(4);
    expect(await page.getByText('1 valgt').count()).toBe(1);

    // What has the focus goes from the list: the focus is on what is in its place.
    const { version } = (await (await stack.call('GET', `/incoming-documents/${focused}`)).json()) as {
      version: number;
    };
    await change(stack, 'POST', `${focused}/rejection`, {
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
      version,
    });
    await expect.poll(() => page.locator(`[data-id="${focused}"]`).count()).toBe(0);
    expect(await focusedId(page)).not.toBeNull();
    expect(complaints).toEqual([]);
  });

  it('is theirs who signed in last, in every tab', async () => {
    const { page } = await open();
    await page.getByText('fordeler-1 i kommunen').waitFor();
    const { page: elsewhere } = await open({ user: 'sagsbehandler-1' });
    await page.context().addCookies(await elsewhere.context().cookies());
    await (await page.context().newPage()).goto(`${stack.url}/inbox`);
    await page.getByText('sagsbehandler-1 i kommunen').waitFor();
  });

  it('a change never takes back the page that one turns to', async () => {
    const { page } = await open();
    await page.getByText('Breve 1–50').first().waitFor();
    const held: (() => void)[] = [];
    await page.route('**/incoming-documents/search', async (route) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await route.continue().catch(() => {}); // it may have been given up
    });
    await page.getByRole('heading', { level: 1 }).focus();
    await page.keyboard.press('n');
    await expect.poll(() => held.length).toBe(1);
    const answered = page.waitForResponse((response) => response.url().includes('/events?after='));
    await deliverMemo(stack, { subject: 'Mens der bladres' });
    await (await answered).finished();
    await page.evaluate('new Promise((done) => setTimeout(done, 300))'); // until the page has taken it up
    await page.keyboard.press('n');
    const free = setInterval(() => {
      for (const go of held) go();
    }, 300);
    await page.getByText('Breve 51–100').first().waitFor();
    clearInterval(free);
  });

  it('asks for nothing while it is not looked at', async () => {
    const { page, requests } = await open();
    const hide = (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
         document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await expect.poll(() => requests.some((url) => url.includes('wait='))).toBe(true);
    await hide(true);
    const asked = requests.length;
    await deliverMemo(stack, { subject: 'Kom imens' });
    expect(requests.length).toBe(asked);
    await hide(false);
    await expect.poll(() => rows(page).first().textContent()).toContain('Kom imens');
  });

  it('what strangers wrote runs nothing, and stays in its cell', async () => {
    for (const width of [380, 1400]) {
      const { page, complaints } = await open(DISTRIBUTOR, { viewport: { width, height: 900 } });
      await page.getByText('<img src=x onerror').waitFor();
      expect(await page.evaluate('window.ran')).toBeUndefined();
      const wide = await page.evaluate<string[]>(
        `[...document.querySelectorAll('.letters tbody td')].filter((td) => td.scrollWidth > td.clientWidth + 1).map((td) => td.className)`,
      );
      expect(wide).toEqual([]);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await look(page, `list-hostile-${width}`);
      expect(complaints).toEqual([]);
    }
  });

  it.each([
    [380, 'light'],
    [380, 'dark'],
    [1920, 'light'],
    [1920, 'dark'],
  ] as const)('axe finds nothing at %i px, %s, and nothing is wider than the screen', async (width, colorScheme) => {
    const { page, complaints } = await open(DISTRIBUTOR, { viewport: { width, height: 1000 }, colorScheme });
    await page.locator('.tile').first().waitFor();
    await page.getByText('Filtre', { exact: true }).click();
    await page.getByRole('checkbox').nth(5).check();
    expect(await violationsOf(page)).toEqual([]);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await look(page, `list-${width}-${colorScheme}`);
    for (const [button, dialog] of [
      ['Kolonner …', 'Vælg kolonner'],
      ['Genvejstaster …', 'Genvejstaster'],
    ] as const) {
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('dialog', { name: dialog }).waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await look(page, `list-${width}-${colorScheme}-${dialog}`);
      await page.keyboard.press('Escape');
    }
    expect(complaints).toEqual([]);
  });

  it('columns, order, own filters and absent colleagues are remembered; what is searched for is not', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'Kolonner …' }).click();
    await page.getByRole('dialog').getByLabel('Kanal').check();
    await page.getByLabel('Bilag').uncheck();
    await page.getByRole('button', { name: 'Flyt Emne op' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Gem' }).click();
    const headings = () => page.locator('.letters th[scope=col]').allTextContents();
    expect((await headings()).slice(0, 3)).toEqual(['', 'Emne', 'Modtaget']);
    await page.getByLabel('Rækkefølge').selectOption('receivedAt');
    await page.getByText('Filtre', { exact: true }).click();
    await page.getByLabel('Type').selectOption('enquiry');
    await page.getByLabel('Søg', { exact: true }).fill('4101019999');
    await page.getByRole('button', { name: 'Anvend filtre' }).click();
    await page.getByRole('button', { name: 'Gem dette filter …' }).click();
    await page.getByLabel('Navn').fill('Henvendelser');
    await page.getByRole('dialog').getByRole('button', { name: 'Gem' }).click();
    await page.getByRole('button', { name: /^Fraværende/ }).click();
    await page.getByLabel('Brugernavne').fill('sagsbehandler-2');
    await page.getByRole('dialog').getByRole('button', { name: 'Vis' }).click();
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(await page.evaluate<string>('JSON.stringify(localStorage)')).not.toContain('4101019999');
    await page.reload();
    await expect.poll(() => rows(page).count()).toBe(50);
    expect((await headings()).slice(0, 3)).toEqual(['', 'Emne', 'Modtaget']);
    expect(await headings()).toContain('Kanal');
    expect(await headings()).not.toContain('Bilag');
    expect(await page.getByLabel('Rækkefølge').inputValue()).toBe('receivedAt');
    await page.getByRole('button', { name: 'Henvendelser', exact: true }).click();
    await expect.poll(() => page.getByText('Filtre (1 i brug)').count()).toBe(1);
    await page.getByRole('button', { name: 'Fjern Henvendelser' }).click();
    expect(await page.getByRole('button', { name: 'Henvendelser', exact: true }).count()).toBe(0);
  });

  it('the overview leads to what it counts; overdue is told in words', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: /Svarfrist overskredet/ }).click();
    await page.getByText('Overskredet:').first().waitFor();
    expect(await page.getByLabel('Rækkefølge').inputValue()).toBe('replyBy');
    await look(page, 'list-reply-by');
  });

  it('keys that are pressed while a page comes turn on from that one', async () => {
    const { page } = await open();
    const onFirst = await firstId(page);
    for (const key of ['n', 'n']) await page.keyboard.press(key);
    await page.getByText('Side 3', { exact: true }).waitFor();
    // There is no page after this one.
    for (const key of ['n', 'p']) await page.keyboard.press(key);
    await page.getByText('Side 2', { exact: true }).waitFor();
    await expect.poll(() => focusedId(page)).toBe(await firstId(page));
    for (const key of ['n', 'p', 'p', 'p']) await page.keyboard.press(key);
    await expect.poll(() => firstId(page)).toBe(onFirst);
    expect(await focusedId(page)).toBe(onFirst);
  });

  it('a bulk action runs in portions, can be stopped between them, and reports letters that were already rejected', async () => {
    const oldest = async () => (await list(stack, '?limit=1&sort=receivedAt')).items[0] as unknown as DocumentSummary;
    // A colleague has one that is on another page.
    const assignee = { kind: 'user', id: 'sagsbehandler-5' } as const;
    const { id, version } = await oldest();
    await change(stack, 'PUT', `${id}/assignment`, { body: { assignee }, version });
    const { page } = await open();
    await page.getByRole('checkbox', { name: 'Vælg alle på siden' }).check();
    await page.getByRole('button', { name: /^Vælg alle \d+, der passer/ }).click();
    await expect.poll(() => page.getByText(/^1\d\d valgt$/).count()).toBe(1);
    const chosen = Number((await page.getByText(/^1\d\d valgt$/).textContent())?.split(' ')[0]);
    expect(chosen).toBeGreaterThan(100);

    // The second portion is never sent, as one stops while the first one is under way.
    let answer = () => {};
    const isStopped = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/incoming-documents/bulk', async (route) => {
      await isStopped;
      await route.continue();
    });
    await page.getByRole('heading', { level: 1 }).focus();
    await page.keyboard.press('t');
    await page.keyboard.type('sagsbehandler-3');
    await page.keyboard.press('Enter');
    await page.getByText(`Tildeler: 0 af ${chosen}`).waitFor();
    await tabTo(page, 'Stop');
    await page.keyboard.press('Enter');
    answer();
    await page.getByText(`100 af ${chosen} breve er tildelt.`).waitFor();
    await page.getByText(`${chosen - 100}: ikke nået.`).waitFor();
    await page.getByText(`${chosen - 100} valgt`).waitFor();
    await page.unroute('**/incoming-documents/bulk');
    await tabTo(page, 'Fortryd');
    await page.keyboard.press('Enter');
    await page.getByText('Tildelingen af 100 af 100 breve er som før.').waitFor();
    expect((await oldest()).assignee).toEqual(assignee);

    // Somebody rejects one of those that are still selected, and this page has not seen it.
    await page.route('**/events?*', (route) => route.abort());
    // Those on the page were selected first, then the oldest.
    const { items } = await list(stack, '?limit=60&sort=receivedAt');
    const first = items.at(-1) as unknown as { id: string; version: number };
    await change(stack, 'POST', `${first.id}/rejection`, {
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
      version: first.version,
    });
    await page.getByRole('heading', { level: 1 }).focus();
    await page.keyboard.press('t');
    await page.keyboard.type('sagsbehandler-3');
    await page.keyboard.press('Enter');
    await page.getByText(`${chosen - 101} af ${chosen - 100} breve er tildelt.`).waitFor();
    expect(await page.getByRole('status').filter({ hasText: 'breve er tildelt' }).textContent()).toMatch(
      /1: (en anden var først|det kan ikke gøres ved et brev med den status)\./,
    );
    await tabTo(page, 'Fortryd');
    await page.keyboard.press('Enter');
    await page.getByText(`Tildelingen af ${chosen - 101} af ${chosen - 101} breve er som før.`).waitFor();
  });

  it('a zip that is being made can be cancelled', async () => {
    const { page } = await open();
    // Nothing is made before it is looked at: the answers say so until then.
    let isCancelled = false;
    await page.route('**/zip-downloads', async (route) => {
      if (route.request().method() !== 'GET') return route.continue();
      const response = await route.fetch();
      const { items } = (await response.json()) as { items: object[] };
      const made = items.map((zip) => ({ ...zip, status: 'running', percent: 40 }));
      return route.fulfill({ response, json: { items: isCancelled ? items : made } });
    });
    await page.getByRole('checkbox', { name: 'Vælg alle på siden' }).check();
    await page.getByRole('button', { name: 'Hent som zip …' }).click();
    await page.getByRole('button', { name: 'Lav zip' }).click();
    await page.getByText('40 %').waitFor();
    await look(page, 'list-zip-running');
    page.on('request', (request) => {
      if (request.method() === 'DELETE') isCancelled = true;
    });
    await page.getByRole('button', { name: 'Annullér', exact: true }).press('Enter');
    // If it was already done it is gone; otherwise it is listed as cancelled until it is removed.
    await expect.poll(() => page.getByText('40 %').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Hent', exact: true }).count()).toBe(0);
    const remove = page.getByRole('button', { name: 'Fjern', exact: true });
    if ((await remove.count()) > 0) {
      await page.getByText('annulleret').waitFor();
      await remove.press('Enter');
    }
    await expect.poll(() => page.getByRole('heading', { name: 'Mine zip-filer' }).count()).toBe(0);
  });

  it('letters are taken as a zip, with progress, and the list as Excel', async () => {
    const { page, complaints } = await open();
    await page.getByRole('checkbox', { name: 'Vælg alle på siden' }).check();
    await page.getByText('50 valgt').waitFor();
    await page.getByRole('button', { name: 'Hent som zip …' }).click();
    await page.getByLabel('Følgeseddel').check();
    await page.getByRole('button', { name: 'Lav zip' }).click();
    await page.getByText('Zip-filen er klar.').waitFor();
    const zip = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Hent', exact: true }).click();
    expect((await zip).suggestedFilename()).toMatch(/\.zip$/);
    await look(page, 'list-zip');
    await page.getByRole('button', { name: 'Fjern', exact: true }).click();
    await expect.poll(() => page.getByRole('heading', { name: 'Mine zip-filer' }).count()).toBe(0);
    const sheet = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Hent som Excel' }).click();
    expect((await sheet).suggestedFilename()).toBe('Indkomne dokumenter.xlsx');
    expect(complaints).toEqual([]);
  });

  it('shows nobody what they may not see or do', async () => {
    await change(stack, 'PUT', `${(await list(stack, '?limit=1&sort=-receivedAt')).items[0]?.id}/assignment`, {
      body: { assignee: { kind: 'user', id: 'læser-1' } },
      version: (await list(stack, '?limit=1&sort=-receivedAt')).items[0]?.version as number,
    });
    const { page } = await open({ user: 'læser-1', roles: ['IndkomneDokumenter.Læs'] });
    expect(await rows(page).count()).toBe(1);
    await page.getByRole('checkbox', { name: 'Vælg alle på siden' }).check();
    expect(await page.getByRole('button', { name: /^Afvis|^Tildel …/ }).count()).toBe(0);
    expect(await page.getByRole('button', { name: /Tilbageholdt/ }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Ingens' }).count()).toBe(0);
  });
});
