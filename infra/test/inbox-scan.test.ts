// @module-tag long
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, openBrowser, type WatchedBrowser } from '../src/testkit/browser.js';
import { EICAR, EICAR_SIGNATURE, HAS_CLAMD, type OwnClamd, startClamd } from '../src/testkit/clamd.js';
import { CASEWORKER_ROLES, CONTACT_POINT, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { type MemoSpec, textDocument, writeMemo } from '../src/testkit/write-memo.js';
import { violationsOf } from './support/axe.js';
import { look, openInbox } from './support/inbox-page.js';

// What the page of a letter shows of the scan for malware, in Chromium, with Debian's clamd and a signature of our own.

/** Who goes to another page waits no longer for what this one has asked for. */
const faultsIn = (complaints: readonly string[]) => complaints.filter((text) => !text.endsWith('net::ERR_ABORTED'));

describe.skipIf(!existsSync(CHROMIUM) || !HAS_CLAMD)('the page of a letter whose files are scanned', () => {
  let clamd: OwnClamd;
  let stack: TestStack;
  let browser: WatchedBrowser;
  beforeAll(async () => {
    clamd = await startClamd(['StreamMaxLength 1M']);
    stack = await startTestStack({ INBOX_PAGE: 'on', CLAMD_URL: clamd.url });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await clamd?.close();
  });

  async function receive(memo: MemoSpec): Promise<string> {
    const messageUUID = randomUUID();
    expect((await stack.deliver(writeMemo({ contactPointId: CONTACT_POINT, ...memo, messageUUID }))).status).toBe(200);
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
    return row?.id as string;
  }

  const openLetter = async (id: string, as = {}) => {
    const watched = await openInbox(browser, stack, as);
    await watched.page.goto(`${stack.url}/inbox/letters/${id}`);
    await watched.page.getByRole('heading', { level: 1 }).waitFor();
    return watched;
  };
  const sees = (page: Page, text: string) => page.getByText(text).first().waitFor();
  const downloads = (page: Page) => page.locator('table a[download]').allInnerTexts();

  it('says that the file is being scanned, and shows it by itself when it is clean', async () => {
    clamd.pause();
    const id = await receive({ subject: 'Undersøges' });
    const { page, complaints } = await openLetter(id);
    await sees(page, 'Filen bliver undersøgt for virus. Den kan åbnes, når det er gjort.');
    await sees(page, 'Undersøges');
    expect(await downloads(page)).toEqual([]);
    expect(await page.getByRole('button', { name: 'Journalisér' }).count()).toBe(0);
    await page.getByText('Hent som zip').click();
    await sees(page, 'Brevet kan hentes, når filerne er undersøgt for virus.');
    expect(await violationsOf(page)).toEqual([]);
    await look(page, 'scan-waiting');

    clamd.resume();

    await sees(page, 'Kære kommune. Venlig hilsen');
    expect(await downloads(page)).toEqual(['Hent']);
    await sees(page, 'Hent zip');
    await page.getByRole('button', { name: 'Journalisér' }).waitFor();
    await look(page, 'scan-clean');
    expect(faultsIn(complaints)).toEqual([]);
  });

  const HARMFUL: MemoSpec = {
    subject: 'Faktura',
    documents: [
      textDocument('Se vedlagte faktura.'),
      { files: [{ name: 'faktura.pdf', type: 'application/pdf', content: Buffer.from(EICAR) }] },
      { files: [{ name: 'video.mp4', type: 'video/mp4', content: Buffer.alloc(1_500_000, 'v') }] },
    ],
  };

  it('says which files have malware or could not be scanned, and offers none of them', async () => {
    const { page, complaints } = await openLetter(await receive(HARMFUL));
    await sees(page, `indeholder skadelig kode (${EICAR_SIGNATURE})`);
    await sees(page, 'kunne ikke undersøges for virus (den er for stor)');
    await sees(page, 'Se vedlagte faktura.');
    expect(await downloads(page)).toEqual(['Hent']);
    await page.getByText('Hent som zip').click();
    await sees(
      page,
      'Filer, der er usikre eller ikke er her, er ikke med. Derfor er der altid en følgeseddel, som nævner dem.',
    );
    // The zip has it whatever is chosen, so it cannot be chosen to be without.
    const cover = page.getByLabel('Følgeseddel');
    expect(await cover.locator('option').allInnerTexts()).toEqual([
      'Med fødselsdato i stedet for CPR-nummer',
      'Med hele CPR-numre',
    ]);
    expect(await cover.inputValue()).toBe('masked');
    const zip = page.getByRole('link', { name: 'Hent zip' });
    expect(await zip.getAttribute('href')).toMatch(/\/zip\?include=cover&cover=masked$/);
    await cover.selectOption('full');
    expect(await zip.getAttribute('href')).toMatch(/&cover=full$/);
    expect(await violationsOf(page)).toEqual([]);
    await look(page, 'scan-infected');
    expect(faultsIn(complaints)).toEqual([]);
  });

  it('offers them, marked, to who has the role', async () => {
    const as = { user: 'sikkerhed-1', roles: [...CASEWORKER_ROLES, 'Indbakke.UsikreFiler'] };
    const { page } = await openLetter(await receive(HARMFUL), as);
    await sees(page, 'indeholder skadelig kode');
    await expect.poll(() => downloads(page)).toEqual(['Hent', 'Hent usikker fil', 'Hent usikker fil']);
    await look(page, 'scan-role');
  });

  it('shows no main document with malware', async () => {
    const id = await receive({ subject: 'Skadeligt brev', documents: [textDocument(EICAR)] });
    const { page, complaints } = await openLetter(id);
    await sees(page, 'Filen indeholder skadelig kode. Åbn den ikke, og kontakt jeres it-sikkerhed.');
    expect(await page.getByText(EICAR).count()).toBe(0);
    await look(page, 'scan-main-infected');
    expect(faultsIn(complaints)).toEqual([]);
  });
});
