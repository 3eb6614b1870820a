// @module-tag long
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { DocumentAnswer } from '@indbakke/shared/api';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitSuggestion, deliverDocument, deliverMemo, upsertCase } from '../../shared/test/inbox/support.js';
import type { DistributionSpec } from '../src/local/distribution/write-distribution.js';
import { CHROMIUM, openBrowser, type WatchedBrowser } from '../src/testkit/browser.js';
import { CASEWORKER_ROLES, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { textDocument } from '../src/testkit/write-memo.js';
import { violationsOf } from './support/axe.js';
import { look, openInbox } from './support/inbox-page.js';

// Documents from Fordelingskomponenten on the inbox page, in Chromium.

const CHILD = '4101019999'; // no month has a 41st day

const DOCUMENT: DistributionSpec = {
  fileName: 'udtalelse.pdf',
  facet: 'G01',
  object: {
    type: 'DOKUMENT',
    title: 'Udtalelse fra skolen',
    description: 'Fra klasselæreren',
    exemption: { title: 'Udtalelse', law: 'Offentlighedsloven § 30' },
    parties: [
      { role: 'KopiModtager', type: 'Virksomhed', urn: 'urn:oio:cvr-nr:44444444' },
      { role: 'SekundaerPart', type: 'Person', text: '\u202EnesetseT roM' },
      { role: 'PrimaerPart', type: 'Person', urn: `urn:oio:cpr-nr:${CHILD}` },
    ],
  },
};

describe.skipIf(!existsSync(CHROMIUM))('a document from Fordelingskomponenten, in Chromium,', () => {
  let stack: TestStack;
  let browser: WatchedBrowser;

  beforeAll(async () => {
    stack = await startTestStack({ INBOX_PAGE: 'on' });
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  const openLetter = async (id: string, options: Parameters<WatchedBrowser['open']>[0] = {}) => {
    const watched = await openInbox(browser, stack, { roles: CASEWORKER_ROLES }, options);
    await watched.page.goto(`${stack.url}/inbox/letters/${id}`);
    await watched.page.getByRole('heading', { level: 1 }).waitFor();
    return watched;
  };
  const textOf = async (page: Page, name: string) =>
    (await page.getByRole('region', { name, exact: true }).innerText()).split(/\s*\n\s*/);
  const setFetch = (id: string, status: string, fault: string | null) =>
    stack.sql('UPDATE file_fetches SET status = $2, fault = $3 WHERE message_id = $1', [id, status, fault]);
  const addReceipt = (id: string, code: string, status: string, at: string, sentAt: string | null = null) =>
    stack.sql(
      `INSERT INTO business_receipts (id, message_id, municipality, code, status, at, sent_at, next_enqueue_at)
       SELECT $2, m.id, m.municipality, $3, $4, $5, $6, now() FROM messages m WHERE m.id = $1`,
      [id, randomUUID(), code, status, at, sentAt],
    );

  it('says from which authority it is, about what and whom, and by which law it is exempt', async () => {
    const { page, complaints } = await openLetter(await deliverDocument(stack, DOCUMENT));
    expect(await textOf(page, 'Fra Fordelingskomponenten')).toEqual([
      'Fra Fordelingskomponenten',
      ...['Afsendende myndighed', 'CVR 11111111'],
      ...['Sendt som', 'Dokument'],
      ...['KLE-nummer', '27.24.00.G01'],
      ...['Primær part', CHILD],
      ...['Sekundær part', '\u202EnesetseT roM'],
      ...['Kopimodtager', '44444444'],
      ...['Undtaget fra aktindsigt', 'Offentlighedsloven § 30'],
      ...['Titel ved aktindsigt', 'Udtalelse'],
    ]);
    const facts = await textOf(page, 'Om brevet');
    expect(facts.slice(facts.indexOf('Afsender'), facts.indexOf('Afsender') + 2)).toEqual(['Afsender', 'CVR 11111111']);
    expect(facts).toContain('Henvendelse Fordelingskomponenten');
    expect(facts).toContain('Oplysninger fra afsenderen');
    expect(complaints.filter((text) => !text.endsWith('net::ERR_ABORTED'))).toEqual([]);
  });

  it('says where its file is, and offers nothing to download or show', async () => {
    const id = await deliverDocument(stack, DOCUMENT);
    const told = async () => {
      const { page } = await openLetter(id);
      const [, ...sentences] = await textOf(page, 'Brevet');
      const [file] = await page.locator('.cards tbody tr').allInnerTexts();
      expect(await page.getByRole('link', { name: /Hent (udtalelse|hoveddokument)/ }).count()).toBe(0);
      expect(await page.getByRole('button', { name: /^Vis / }).count()).toBe(0);
      return [sentences.join(' '), file?.includes('på vej'), file?.includes('kom ikke')];
    };
    const onItsWay = /^Filen har været på vej siden \d\d\.\d\d\.\d{4} \d\d:\d\d\./;
    expect(await told()).toEqual([expect.stringMatching(onItsWay), true, false]);
    await setFetch(id, 'waiting', 'not-there');
    expect(await told()).toEqual([expect.stringMatching(/Den er ikke kommet endnu/), true, false]);
    await setFetch(id, 'waiting', 'sign-in-refused');
    expect(await told()).toEqual([expect.stringMatching(/Den kan ikke hentes lige nu\. Driften har/), true, false]);
    await setFetch(id, 'given-up', 'not-there');
    await stack.sql(`UPDATE files SET status = 'missing' WHERE message_id = $1`, [id]);
    expect(await told()).toEqual(['Filen kom ikke. Kontakt afsenderen eller jeres drift.', false, true]);
  });

  it('is not the only one to have no file: a letter that named one without content says so too', async () => {
    const id = await deliverMemo(stack, { documents: [textDocument('x', 'kun navnet.txt')] });
    await stack.sql(
      `UPDATE files SET status = 'missing', size = 0, sha256 = NULL, container_index = NULL, container_offset = NULL
       WHERE message_id = $1`,
      [id],
    );
    const { page } = await openLetter(id);
    expect(await textOf(page, 'Brevet')).toEqual(['Brevet', 'Filen kom ikke. Kontakt afsenderen eller jeres drift.']);
    expect(await page.getByRole('heading', { name: 'Fra Fordelingskomponenten' }).count()).toBe(0);
  });

  it('shows the note of a journal entry, and says that nothing came with a document without a file', async () => {
    const note = { type: 'JOURNALPOST', title: 'Opkald', note: 'Moren ringede om fredagen.' } as const;
    const entry = await openLetter(await deliverDocument(stack, { object: note }));
    await entry.page.getByText('Moren ringede om fredagen.').waitFor();
    expect(await textOf(entry.page, 'Fra Fordelingskomponenten')).toContain('Journalpost');
    const bare = await openLetter(await deliverDocument(stack));
    await bare.page.getByText('Der fulgte ingen fil med.').waitFor();
  });

  it('has a line for each receipt', async () => {
    const id = await deliverDocument(stack, DOCUMENT);
    await addReceipt(id, 'ACCEPTERET', 'withdrawn', '2026-11-02T09:30:00Z');
    await addReceipt(id, 'ACCEPTERET', 'sent', '2026-11-03T09:30:00Z', '2026-11-03T09:31:00Z');
    await addReceipt(id, 'FEJLET', 'sending', '2026-11-04T09:30:00Z');
    await addReceipt(id, 'AFVIST', 'waiting', '2026-11-05T09:30:00Z');
    const { page } = await openLetter(id);
    const lines = await textOf(page, 'Fra Fordelingskomponenten');
    expect(lines.slice(lines.indexOf('Besked til afsenderen')).filter((_, at) => at % 2 === 1)).toEqual([
      'Afsenderen fik ikke besked (accepteret): det blev fortrudt inden.',
      'Afsenderen har fået kvittering: accepteret, 03.11.2026 10:31.',
      'Beskeden er ved at blive sendt: fejlet.',
      'Afsenderen får besked: afvist.',
    ]);
    await look(page, 'distribution-receipts');
  });

  it('has a history in words, and the code of a change that it has no words for', async () => {
    const id = await deliverDocument(stack, DOCUMENT);
    const { page } = await openLetter(id);
    const actions = ['file-missing', 'file-asked', 'file-arrived', 'something-new'];
    await page.route(`**/incoming-documents/${id}`, async (route) => {
      const response = await route.fetch();
      const letter = (await response.json()) as DocumentAnswer;
      const added = actions.map((action) => ({ at: letter.receivedAt, action, by: 'indbakke', details: {} }));
      await route.fulfill({ response, json: { ...letter, history: [...letter.history, ...added] } });
    });
    const linesIn = async (title: string) => {
      await page.reload();
      await page.getByRole('heading', { name: title }).waitFor();
      return (await page.locator('.history li > span').allInnerTexts()).toReversed();
    };
    expect(await linesIn('Historik')).toEqual([
      'Serviceplatformen (automatisk) modtog brevet',
      'Indbakke (automatisk) opgav at hente filen',
      'Indbakke (automatisk) bad om at hente filen igen',
      'Indbakke (automatisk) hentede filen',
      'Indbakke (automatisk) something-new',
    ]);
    await page.getByRole('button', { name: 'English' }).click();
    expect(await linesIn('History')).toContain('Indbakke (automatically) gave up fetching the file');
    await page.getByText('The file has been on its way since').waitFor();
    await page.getByRole('heading', { name: 'From Fordelingskomponenten' }).waitFor();
  });

  it('does not warn that its sender is no party to the case that the sender suggests', async () => {
    const caseId = randomUUID();
    await upsertCase(stack, caseId, { status: 'open', caseworker: 'caseworker-1' });
    const id = await deliverDocument(stack, { ...DOCUMENT, suggestedCase: caseId });
    await awaitSuggestion(stack, id);
    const { page } = await openLetter(id);
    const sentences = await textOf(page, `Foreslået sag: ${caseId}`);
    expect(sentences).toContain('Afsenderens system foreslår sagen.');
    expect(sentences.join(' ')).not.toContain('se godt efter');
  });

  it.each([
    ['wide', 1400, 'light', 'not-there'],
    ['narrow', 380, 'dark', 'cut'],
  ] as const)('can be read by everybody, %s', async (name, width, colorScheme, fault) => {
    const id = await deliverDocument(stack, { ...DOCUMENT, sender: '11111111' });
    await setFetch(id, 'waiting', fault);
    await addReceipt(id, 'ACCEPTERET', 'waiting', '2026-11-05T09:30:00Z');
    const { page } = await openLetter(id, { viewport: { width, height: 900 }, colorScheme });
    await page.getByText('Filen har været på vej').waitFor();
    await page.getByText('Hent som zip').click();
    await page.getByText('Derfor er der altid en følgeseddel').waitFor();
    await look(page, `distribution-${name}`);
    expect(await violationsOf(page)).toEqual([]);
    await setFetch(id, 'given-up', 'not-there');
    await page.reload();
    await page.getByText('Filen kom ikke').waitFor();
    await look(page, `distribution-given-up-${name}`);
    expect(await violationsOf(page)).toEqual([]);
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate<number>(overflow)).toBe(0);
  });

  it.each([
    ['wide', 1400],
    ['narrow', 380],
  ])('is told from Digital Post in the list, and found by its channel and its parties, %s', async (name, width) => {
    await deliverMemo(stack, { subject: 'Et brev' });
    await deliverDocument(stack, DOCUMENT);
    const { page } = await openInbox(browser, stack, {}, { viewport: { width, height: 900 } });
    const rows = page.locator('.letters tbody tr');
    await rows.first().waitFor();
    const ofDocument = await rows.filter({ hasText: 'Udtalelse fra skolen' }).first().innerText();
    expect(ofDocument).toContain('Fordelingskomponenten');
    expect(ofDocument).toContain('CVR 11111111');
    expect(await rows.filter({ hasText: 'Et brev' }).first().innerText()).not.toContain('Fordelingskomponenten');
    await look(page, `distribution-list-${name}`);
    expect(await violationsOf(page)).toEqual([]);

    await page.getByText('Filtre').first().click();
    await page.getByLabel('Kanal').selectOption({ label: 'Digital Post' });
    await page.getByRole('button', { name: 'Anvend filtre' }).click();
    await expect.poll(() => rows.filter({ hasText: 'Udtalelse' }).count()).toBe(0);
    expect(await rows.filter({ hasText: 'Et brev' }).count()).toBeGreaterThan(0);
    await page.getByLabel('Kanal').selectOption({ label: 'Fordelingskomponenten' });
    await page.getByRole('button', { name: 'Anvend filtre' }).click();
    await expect.poll(() => rows.filter({ hasText: 'Et brev' }).count()).toBe(0);
    await page.getByLabel('Søg', { exact: true }).fill('44 44 44 44');
    await page.keyboard.press('Enter');
    await expect.poll(() => rows.filter({ hasText: 'Udtalelse fra skolen' }).count()).toBeGreaterThan(0);
    await look(page, `distribution-filter-${name}`);
    expect(await violationsOf(page)).toEqual([]);
  });
});
