// @module-tag long

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { writeSheet } from '@indbakke/shared/excel';
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
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const sheetOf = (rows: readonly (readonly [string, string, string])[]): Promise<Buffer> =>
  buffer(
    writeSheet(
      'Adressebog',
      ['id', 'name', 'email'].map((heading, at) => ({
        heading,
        width: 20,
        format: 'text' as const,
        of: (row: readonly string[]) => row[at] ?? '',
      })),
      rows,
    ),
  );
/** The cells of rows that are out of sight, or under another cell. */
const COVERED = `[...document.querySelectorAll('tbody :is(td, th)')].filter((cell) => {
  cell.scrollIntoView({ block: 'center', inline: 'nearest' });
  document.querySelectorAll('.scroll').forEach((box) => { box.scrollLeft = 0; });
  const { left, top, width, height } = cell.getBoundingClientRect();
  return width > 0 && (left + width > innerWidth || !cell.contains(document.elementFromPoint(left + 2, top + height / 2)));
}).map((cell) => cell.textContent)`;

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
    'an address book comes from Excel, and an entry of it is removed after a question, unless somebody was first',
    async () => {
      const { page, complaints } = await openInbox(browser, stack, SUPERUSER);
      await go(page, '/import-departments');
      const book = await sheetOf([
        ['vej', 'Vejafdelingen', 'vej@example.test'],
        ['park', 'Parkafdelingen', 'ikke en adresse'],
      ]);
      const file = (buffer: Buffer) => ({ name: 'adressebog.xlsx', mimeType: XLSX, buffer });
      await page.getByLabel('Fil (.csv i UTF-8, eller .xlsx)').setInputFiles(file(book));
      await press(page, 'Kontrollér filen', 'Enter');
      await page.getByText('Linje 3: Mailadresse skal være en mailadresse.').waitFor();
      const mended = await sheetOf([
        ['vej', 'Vejafdelingen', 'vej@example.test'],
        ['park', 'Parkafdelingen', 'park@example.test'],
      ]);
      await page.getByLabel('Fil (.csv i UTF-8, eller .xlsx)').setInputFiles(file(mended));
      await press(page, 'Kontrollér filen', 'Enter');
      await page.getByText('Filen er i orden: 2 nye').waitFor();
      await press(page, 'Indlæs filen', 'Enter');
      await page.getByText('Indlæst: 2 nye').waitFor();

      await go(page, '/departments');
      await page.getByRole('link', { name: 'Vejafdelingen' }).press('Enter');
      await page.getByRole('heading', { name: 'Vejafdelingen' }).waitFor();
      const path = '/departments/vej';
      const read = await stack.call('GET', '/departments', { as: OTHER });
      const { items } = (await read.json()) as { items: { id: string; version: number }[] };
      const version = items.find(({ id }) => id === 'vej')?.version as number;
      const body = { name: 'Vej og Trafik', email: 'vej@example.test' };
      expect((await stack.call('PUT', path, { as: OTHER, version, body })).status).toBe(200);
      await page.locator('.remove .button').press('Enter');
      await page.getByRole('dialog').getByRole('button').first().press('Enter');
      await page.getByRole('dialog').getByRole('alert').waitFor();
      expect(await page.getByRole('dialog').getByRole('button').first().isDisabled()).toBe(true);
      await page.keyboard.press('Escape');
      await page.reload();
      await page.getByRole('heading', { name: 'Vej og Trafik' }).waitFor();
      await page.locator('.remove .button').press('Enter');
      await page.getByRole('dialog').getByRole('button').first().press('Enter');
      await page.waitForURL('**/set-up/departments');
      await page.getByText('Vej og Trafik').waitFor();
      await page.getByRole('link', { name: 'Parkafdelingen' }).waitFor();
      expect(await page.getByRole('link', { name: 'Vej og Trafik' }).count()).toBe(0);
      expect(complaints.filter((each) => !/status of 4(00|12)|ERR_ABORTED/.test(each))).toEqual([]);
    },
    SLOW,
  );

  it(
    'an absence is set, shown and removed, and failures are shown',
    async () => {
      const { page } = await openInbox(browser, stack, SUPERUSER);
      await go(page, '/absences');
      await press(page, 'Se fraværet', 'Enter');
      await page.getByText('Ingen stedfortræder er sat.').waitFor();
      await page.route('**/api/v1/absences/*', (route) => route.abort());
      await press(page, 'Se fraværet', 'Enter');
      await page.getByRole('alert').filter({ hasText: 'Indbakke svarer ikke' }).waitFor();
      await page.unroute('**/api/v1/absences/*');

      await type(page, 'Hvem er fraværende', '');
      await type(page, 'Stedfortræder', 'sagsbehandler-2');
      await type(page, 'Til og med (åååå-mm-dd)', '2099-12-31');
      await press(page, 'Gem fraværet', 'Enter');
      await page.getByText('Hvem er fraværende skal udfyldes.').first().waitFor();
      await type(page, 'Hvem er fraværende', SUPERUSER.user);
      // What was found is shown, whatever else has been typed.
      await press(page, 'Se fraværet', 'Enter');
      await page.getByText('Ingen stedfortræder er sat.').waitFor();
      await press(page, 'Gem fraværet', 'Enter');
      await page.getByText('Fraværet er gemt.').waitFor();
      await page.getByText('sagsbehandler-2 er stedfortræder fra').waitFor();
      await look(page, 'set-up-absence-set');
      await press(page, 'Fjern stedfortræderen', 'Enter');
      await page.getByText('Stedfortræderen er fjernet.').waitFor();
      expect(await page.evaluate('document.activeElement?.textContent')).toBe('Se fraværet');
    },
    SLOW,
  );

  it(
    'nothing covers anything in rows on a narrow screen, and nothing of them is out of sight',
    async () => {
      await stack.deliver(writeMemo({ contactPointId: randomUUID() }));
      const { page } = await openInbox(browser, stack, SUPERUSER, { viewport: { width: 380, height: 900 } });
      for (const path of ['/held', '/changes', '/departments', '/contact-points']) {
        await go(page, path);
        await page.locator('tbody tr').first().waitFor();
        expect(await page.evaluate<string[]>(COVERED), path).toEqual([]);
      }
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
