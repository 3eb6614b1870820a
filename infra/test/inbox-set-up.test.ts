// @module-tag long

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, openBrowser, type WatchedBrowser } from '../src/testkit/browser.js';
import { CASEWORKER_ROLES, ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';
import { violationsOf } from './support/axe.js';
import { look, openInbox } from './support/inbox-page.js';

// The set-up pages, in Chromium: a superuser's day by keyboard only.

const SUPERUSER = { user: 'superbruger-1', roles: [...CASEWORKER_ROLES, 'Indbakke.Opsætning'] };
const OTHER = { ...SUPERUSER, user: 'superbruger-2' };
const HOSTILE = '<img src=x onerror=alert(1)>';
const SLOW = 300_000;

describe.skipIf(!existsSync(CHROMIUM))('the set-up pages', () => {
  let stack: TestStack;
  let browser: WatchedBrowser;

  beforeAll(async () => {
    stack = await startTestStack({ INBOX_PAGE: 'on' });
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await stack.close();
  });

  const go = async (page: Page, path: string) => {
    await page.goto(`${stack.url}/inbox/set-up${path}`);
    await page.locator('h1').waitFor();
  };
  /** Goes to a field or button as Tab would, and presses a key there. */
  const press = (page: Page, name: string, key: string) => page.getByRole('button', { name, exact: true }).press(key);
  const type = (page: Page, label: string, text: string) => page.getByLabel(label, { exact: true }).fill(text);

  it(
    'a superuser adds a contact point, which releases its held mail, imports others, and checks one, by keyboard',
    async () => {
      const id = randomUUID();
      await stack.deliver(writeMemo({ contactPointId: id }));
      const { page, complaints } = await openInbox(browser, stack, SUPERUSER);
      await go(page, '/held');
      await page.getByText('Kontaktpunktet er ikke sat op her: 1 brev').waitFor();
      await page.getByRole('link', { name: 'Opret kontaktpunkt' }).press('Enter');
      await page.getByRole('heading', { name: 'Nyt kontaktpunkt' }).waitFor();
      await press(page, 'Opret', 'Enter');
      await page.getByText('Navn skal udfyldes.').first().waitFor();
      expect(await page.evaluate('document.activeElement?.id')).toBe('field-id');
      await page.locator('#field-id').fill(id);
      await type(page, 'Navn', HOSTILE);
      await page.getByLabel('Til underretninger').press('Space');
      await press(page, 'Opret', 'Enter');
      await page.getByText('Kontaktpunktet er oprettet').waitFor();
      expect(await page.locator('h1').textContent()).toBe(HOSTILE);
      await press(page, 'Start en kontrol', 'Enter');
      await page.getByText('Kode til emnet').waitFor();

      await go(page, '/held');
      await page.getByText('Ingen post holdes tilbage.').waitFor();

      await go(page, '/import-contact-points');
      const table = (rows: string[]) => ({
        name: 'punkter.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(['id;name;purpose', ...rows].join('\n')),
      });
      await page.getByLabel('Fil (.csv i UTF-8, eller .xlsx)').setInputFiles(table(['a-1;Et;both', 'a-2;To;forkert']));
      await press(page, 'Kontrollér filen', 'Enter');
      await page.getByText('Linje 3: Er til skal være replies eller enquiries eller both.').waitFor();
      await page.getByLabel('Fil (.csv i UTF-8, eller .xlsx)').setInputFiles(table(['a-1;Et;both', 'a-2;To;replies']));
      await press(page, 'Kontrollér filen', 'Enter');
      await page.getByText('Filen er i orden: 2 nye').waitFor();
      await press(page, 'Indlæs filen', 'Enter');
      await page.getByText('Indlæst: 2 nye').waitFor();
      await press(page, 'Fortryd indlæsningen', 'Enter');
      await page.getByText('Indlæsningen er fortrudt: 2 fjernet').waitFor();
      // The browser tells what the API refused, and what it stopped loading as one went on.
      const ours = complaints.filter((each) => !/status of 400|ERR_ABORTED/.test(each));
      expect(ours).toEqual([]);
    },
    SLOW,
  );

  it(
    'who was second sees what the first one changed, and loses nothing',
    async () => {
      const { page } = await openInbox(browser, stack, SUPERUSER);
      await go(page, '');
      await type(page, 'Svarfrist i dage', '21');
      const read = await stack.call('GET', '/municipality', { as: OTHER });
      const {
        cvr: _,
        isTraining: __,
        warnings: ___,
        version,
        ...settings
      } = (await read.json()) as {
        version: number;
      } & Record<string, unknown>;
      const body = { ...settings, name: 'Ny Kommune' };
      expect((await stack.call('PUT', '/municipality', { as: OTHER, version, body })).status).toBe(200);
      await press(page, 'Gem', 'Enter');
      await page.getByText('superbruger-2 gemte ændringer').waitFor();
      await page.getByRole('cell', { name: 'Ny Kommune' }).waitFor();
      expect(await page.getByLabel('Svarfrist i dage').inputValue()).toBe('21');
      expect(await page.getByLabel('Navn', { exact: true }).inputValue()).toBe('Ny Kommune');
      await page.reload();
      await page.getByText('Du har skrevet noget, der ikke er gemt').waitFor();
      expect(await page.getByLabel('Svarfrist i dage').inputValue()).toBe('21');
      await press(page, 'Gem', 'Enter');
      await page.getByText('Gemt. Det gælder fra det næste brev').waitFor();
      const saved = (await (await stack.call('GET', '/municipality', { as: OTHER })).json()) as object;
      expect(saved).toMatchObject({ cvr: ODENSKOV, name: 'Ny Kommune', replyDays: 21 });
    },
    SLOW,
  );

  it(
    'are usable by everybody, at every width, in light and dark',
    async () => {
      await stack.deliver(writeMemo({ contactPointId: randomUUID() }));
      const paths = ['', '/contact-points', '/new-contact-point', '/import-departments', '/departments', '/held'];
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [380, 1_920]) {
          const { page } = await openInbox(browser, stack, SUPERUSER, {
            colorScheme,
            viewport: { width, height: 900 },
          });
          for (const path of [...paths, '/absences', '/changes']) {
            await go(page, path);
            await page.waitForLoadState('networkidle');
            await look(page, `set-up${path.replace('/', '-')}-${width}-${colorScheme}`);
            expect(await violationsOf(page), `${path} ${width} ${colorScheme}`).toEqual([]);
            expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
          }
          await page.context().close();
        }
      }
    },
    SLOW,
  );
});
