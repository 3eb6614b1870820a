// @module-tag long
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { DocumentAnswer } from '@indbakke/shared/api';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHROMIUM, openBrowser, type WatchedBrowser } from '../src/testkit/browser.js';
import { CASEWORKER_ROLES, CONTACT_POINT, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { type MemoSpec, type MemoSpecFile, TEST_CITIZEN, textDocument, writeMemo } from '../src/testkit/write-memo.js';
import { violationsOf } from './support/axe.js';
import {
  HOSTILE_HTML,
  HOSTILE_SVG,
  POLYGLOT_PDF,
  SCANNED_IN_JBIG2,
  SCANNED_IN_JPEG_2000,
  SCRIPTED_PDF,
  writeHugePng,
  writePdf,
  writeSmallPng,
} from './support/hostile-files.js';
import { look, openInbox } from './support/inbox-page.js';

// The page of one letter in Chromium: a caseworker’s day by keyboard, a colleague who was first, and letters that mean harm.

const CORE = { user: 'dubu-core', system: true } as const;
const LOG_READER = { roles: [...CASEWORKER_ROLES, 'Revisionslog.Læs'] };

let stack: TestStack;
let browser: WatchedBrowser;

/** A canvas, as far as it is read here. */
interface Drawn {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** Who goes to another page waits no longer for what this one has asked for. */
const faultsIn = (complaints: readonly string[]) => complaints.filter((text) => !text.endsWith('net::ERR_ABORTED'));

describe.skipIf(!existsSync(CHROMIUM))('the page of one letter', () => {
  beforeAll(async () => {
    stack = await startTestStack({ INBOX_PAGE: 'on' });
    browser = await openBrowser();
    const caseBody = { caseworker: 'caseworker-1', parties: [{ id: TEST_CITIZEN.id, relation: 'mother' }] };
    await stack.call('PUT', '/cases/BF-1', { as: CORE, body: caseBody });
  });

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  /** Delivers a letter, and reads it. */
  async function receive(memo: MemoSpec = {}): Promise<DocumentAnswer> {
    const messageUUID = randomUUID();
    expect((await stack.deliver(writeMemo({ contactPointId: CONTACT_POINT, ...memo, messageUUID }))).status).toBe(200);
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
    return read(row?.id ?? '');
  }

  /** One with a suggested case. */
  async function receiveReply(memo: MemoSpec = {}): Promise<DocumentAnswer> {
    const sent = randomUUID();
    const body = { caseId: 'BF-1', recipientId: TEST_CITIZEN.id };
    await stack.call('PUT', `/sent-messages/${sent}`, { as: CORE, body });
    const { id } = await receive({ replyData: [{ messageUUID: sent, replyUUID: sent }], ...memo });
    return vi.waitFor(async () => {
      const letter = await read(id);
      expect(letter.suggestion?.caseId).toBe('BF-1');
      return letter;
    }, 20_000);
  }

  const read = async (id: string) =>
    (await (await stack.call('GET', `/incoming-documents/${id}`)).json()) as DocumentAnswer;

  const openLetter = async (letter: Pick<DocumentAnswer, 'id'>, as = {}, options = {}) => {
    const watched = await openInbox(browser, stack, as, options);
    await watched.page.goto(`${stack.url}/inbox/letters/${letter.id}`);
    // What the browser complained of says why a page did not come.
    await watched.page
      .getByRole('heading', { level: 1 })
      .waitFor({ timeout: 8_000 })
      .catch(() => {
        expect(faultsIn(watched.complaints)).toEqual([]);
      });
    return watched;
  };

  const sees = (page: Page, text: string) => page.getByText(text).first().waitFor();
  const focused = (page: Page) => page.evaluate<string>('document.activeElement.textContent');

  it('lets a caseworker work with the keyboard alone', async () => {
    const letter = await receiveReply({ subject: 'Svar om børnehave' });
    const { page, complaints } = await openLetter(letter, LOG_READER);
    await sees(page, 'Kære kommune. Venlig hilsen');
    await sees(page, 'Brevet svarer på en meddelelse, der er sendt fra sagen.');
    await sees(page, 'Moren svarer.');
    expect(await focused(page)).toBe('Svar om børnehave');
    expect(await page.getByText(/minut(ter)? siden$|dette minut$/).count()).toBe(1);
    await look(page, 'letter-pending');

    // Two keystrokes.
    await page.keyboard.press('j');
    await look(page, 'letter-journalize');
    await page.keyboard.press('Enter');
    await sees(page, 'Brevet er journaliseret på sag BF-1.');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect((await read(letter.id)).status).toBe('journalized');
    expect(await focused(page)).toContain('Brevet er journaliseret');
    await look(page, 'letter-journalized');

    // Back, by the button that follows.
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Fortryd');
    await page.keyboard.press('Enter');
    await sees(page, 'Fortrudt. Journaliseringen er taget tilbage');
    expect((await read(letter.id)).status).toBe('pending');

    // What was typed is asked about.
    await page.keyboard.press('a');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Escape');
    await sees(page, 'Vil du kassere det, du har skrevet?');
    await page.keyboard.press('Enter'); // go on
    await page.getByLabel('Begrundelse').focus();
    await page.keyboard.type('Brevet handler om vejarbejde.');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space'); // the sender is informed
    await look(page, 'letter-reject');
    await page.getByRole('dialog').getByRole('button', { name: 'Afvis' }).focus();
    await page.keyboard.press('Enter');
    await sees(page, 'Brevet er afvist.');
    const rejected = await read(letter.id);
    expect(rejected.rejection).toMatchObject({ explanation: 'Brevet handler om vejarbejde.' });
    expect(rejected.rejection?.outcome).toMatchObject({ senderInformed: true });
    await sees(page, 'Afsenderen er underrettet.');
    await look(page, 'letter-rejected');

    await page.keyboard.press('g');
    await sees(page, 'Brevet er genåbnet.');
    expect((await read(letter.id)).status).toBe('pending');

    const readers = page.getByText('Hvem har læst brevet?');
    await readers.focus();
    await page.keyboard.press('Enter');
    await sees(page, 'Læste brevets tekst');
    await sees(page, 'caseworker-1 afviste brevet');
    await look(page, 'letter-readers');
    expect(faultsIn(complaints)).toEqual([]);
  });

  it('journalizes once when the answer gets lost', async () => {
    const letter = await receiveReply();
    const { page } = await openLetter(letter);
    let asked = 0;
    await page.route('**/journalization', async (route) => {
      asked += 1;
      if (asked > 1) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await sees(page, 'Brevet er journaliseret på sag BF-1.');
    expect(asked).toBe(2);
    const { version, journalizations } = await read(letter.id);
    expect([version, journalizations.length]).toEqual([letter.version + 1, 1]);
  });

  it('assigns, and gives it back to who had it', async () => {
    const letter = await receive({ subject: 'Til fordeling' });
    const { page } = await openLetter(letter);
    const assign = async (id: string) => {
      await page.keyboard.press('t');
      await page.keyboard.type(id);
      await page.keyboard.press('Enter');
      await sees(page, `Brevet er tildelt ${id}.`);
    };
    await assign('caseworker-2');
    await assign('caseworker-3');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await sees(page, 'Fortrudt. Brevet er tildelt caseworker-2.');
    expect((await read(letter.id)).assignee).toEqual({ kind: 'user', id: 'caseworker-2' });
  });

  it('does not say that a letter is gone because it cannot be read', async () => {
    const letter = await receive({ subject: 'Væk et øjeblik' });
    const { page } = await openLetter(letter);
    await page.route(`**/incoming-documents/${letter.id}`, (route) => route.abort());
    await page.keyboard.press('t');
    await page.keyboard.type('caseworker-2');
    await page.keyboard.press('Enter');
    await sees(page, 'Indbakke svarer ikke.');
    expect(await page.getByText('Brevet er tildelt').count()).toBe(0);
    await page.unroute(`**/incoming-documents/${letter.id}`);
    await page.reload();
    await sees(page, 'Kære kommune');
    expect((await read(letter.id)).assignee?.id).toBe('caseworker-2');
  });

  it('says what a colleague did first, and keeps what was typed', async () => {
    const letter = await receive({ subject: 'Først' });
    const { page } = await openLetter(letter);
    await page.keyboard.press('a');
    await page.getByLabel('Brevet er modtaget før').check();
    await page.getByLabel('Begrundelse').fill('Modtaget i går.');
    await page.getByLabel('Der er intet at gøre').check();
    const other = { user: 'caseworker-2' };
    const body = { assignee: { kind: 'user', id: 'caseworker-2' } };
    const path = `/incoming-documents/${letter.id}/assignment`;
    const { version } = await read(letter.id);
    expect((await stack.call('PUT', path, { as: other, version, body })).status).toBe(200);
    const submit = page.getByRole('dialog').getByRole('button', { name: 'Afvis' });
    await submit.click();
    await sees(page, 'caseworker-2 tildelte brevet til en medarbejder eller et team');
    await look(page, 'letter-overtaken');
    expect(await page.getByLabel('Begrundelse').inputValue()).toBe('Modtaget i går.');
    await submit.click();
    await sees(page, 'Brevet er afvist.');
    expect((await read(letter.id)).rejection?.explanation).toBe('Modtaget i går.');
  });

  it('deletes only after both questions', async () => {
    const letter = await receive({ subject: 'Skal væk' });
    const body = { reason: 'unwanted', explanation: 'Reklame', outcome: { nothingToDo: true } };
    const path = `/incoming-documents/${letter.id}/rejection`;
    await stack.call('POST', path, { version: letter.version, body });
    const { page } = await openLetter(letter);
    await page.getByText('Flere handlinger').click();
    await page.getByRole('button', { name: 'Slet for altid' }).click();
    await look(page, 'letter-delete');
    const submit = page.getByRole('dialog').getByRole('button', { name: 'Slet for altid' });
    await submit.click(); // the browser says what is missing
    expect((await read(letter.id)).status).toBe('rejected');
    const answer = (question: string, name: string) =>
      page.getByRole('group', { name: question }).getByLabel(name, { exact: true }).check();
    await answer('Er brevet sendt videre', 'Nej');
    await answer('Er afsenderen underrettet', 'Ja');
    await submit.click();
    await sees(page, 'Brevet er slettet for altid.');
  });

  const attack = '<img src=x onerror=alert(1)><script>alert(2)</script>"><svg onload=alert(3)>\u202Egnp.exe';
  const file = (name: string, type: string, content: Buffer): MemoSpecFile => ({ name, type, content });
  const hostile: MemoSpec = {
    subject: attack,
    sender: { ...TEST_CITIZEN, name: attack },
    representative: { id: '4101019998', idType: 'CPR', name: attack },
    concerning: { cpr: '4101019997', name: attack },
    contactInfo: [{ label: attack, value: 'javascript:alert(1)' }],
    documents: [
      { label: attack, files: [file(`${attack}.html`, 'text/html', HOSTILE_HTML)] },
      { files: [file('tegning.svg', 'image/svg+xml', HOSTILE_SVG)] },
      { files: [file('polyglot.html', 'text/html', POLYGLOT_PDF)] },
      { files: [file('script.pdf', 'application/pdf', SCRIPTED_PDF)] },
      { files: [file('kæmpe.png', 'image/png', writeHugePng())] },
      { files: [file('billede.png', 'image/png', writeSmallPng())] },
      { files: [file('ødelagt.pdf', 'application/pdf', Buffer.from('%PDF-1.7\nintet'))] },
    ],
  };

  it('runs nothing of a letter that means harm', async () => {
    const letter = await receive(hostile);
    const watched = await openLetter(letter);
    const { page, requests, complaints } = watched;
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await sees(page, 'Kære kommune');
    const frame = page.frameLocator('.preview iframe');
    const show = async (name: string) => {
      await page.getByRole('button', { name: `Vis ${name}` }).click();
      await page.getByTitle(`Visning af ${name}`).waitFor();
    };
    for (const name of ['polyglot.html', 'script.pdf']) {
      await show(name);
      await frame.locator('canvas').first().waitFor();
      await frame.locator('.text').first().waitFor({ state: 'attached' });
      await look(page, `letter-${name}`);
    }
    expect(await frame.locator('.text').first().textContent()).toContain('Med script');
    await show('kæmpe.png');
    await frame.getByText('Billedet er for stort').waitFor();
    await show('ødelagt.pdf');
    await frame.getByText('Filen kan ikke vises her').waitFor();
    await show('billede.png');
    await frame.getByRole('img').waitFor();
    await look(page, 'letter-hostile');
    // What is no PDF or image is not shown.
    expect(await page.getByRole('button', { name: /^Vis .*(html|svg)/ }).count()).toBe(1); // the polyglot, as a PDF

    // Nothing breaks out of the frame, even if something ran in it.
    const inside = page.frames().find((each) => each.url().endsWith('/viewer.html'));
    const tries = `Promise.all([
      (async () => parent.document.title)(),
      (async () => document.cookie)(),
      (async () => localStorage.length)(),
      fetch('/inbox'), fetch('${stack.url}/api/v1/incoming-documents'), fetch('https://evil.example'),
      (async () => { top.location = 'https://evil.example'; })(),
    ].map((each) => each.then(() => 'done', () => 'refused')))`;
    const isElsewhere = (url: string) => !url.startsWith(stack.url) && !url.startsWith('blob:');
    expect([requests.filter(isElsewhere), faultsIn(complaints), dialogs]).toEqual([[], [], []]);
    expect(new Set(await inside?.evaluate<string[]>(tries))).toEqual(new Set(['refused']));

    expect(await page.locator('main script, main svg, main iframe:not([sandbox="allow-scripts"])').count()).toBe(0);
    expect(new URL(page.url()).pathname).toBe(`/inbox/letters/${letter.id}`);
  });

  it('lets a name turn nothing beside it', async () => {
    const sender = { id: TEST_CITIZEN.id, name: '\u202EnesetseT tseT' };
    const representative = { id: '4101010000', name: '\u2067\u202Edet gatomdom' };
    const { page } = await openLetter(await receive({ sender, representative }));
    // The digits of the ids are in the order in which they are read.
    const places = await page.evaluate<number[][]>(`['${sender.id}', '${representative.id}'].map((id) => {
      const quiet = [...document.querySelectorAll('dd .quiet')].find((each) => each.textContent.endsWith(id));
      const text = document.createTreeWalker(quiet, NodeFilter.SHOW_TEXT).nextNode();
      return [...text.data].map((_, at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().left;
      });
    })`);
    for (const each of places) expect(each).toEqual(each.toSorted((one, other) => one - other));
  });

  it('keeps what one is typing when the session ends', async () => {
    const letter = await receive();
    const { page } = await openLetter(letter);
    const session = await page.context().cookies();
    await page.keyboard.press('a');
    const form = page.getByRole('dialog');
    await form.getByRole('radio').first().check();
    await page.getByLabel('Begrundelse').fill('Brevet er skrevet til en anden.');
    await form.getByText('Afsenderen er underrettet').click();
    await page.context().clearCookies();
    await form.getByRole('button', { name: 'Afvis' }).click();
    await sees(page, 'Du er ikke logget ind længere.');
    expect(await page.getByLabel('Begrundelse').inputValue()).toBe('Brevet er skrevet til en anden.');

    // In another tab.
    await page.context().addCookies(session);
    await form.getByRole('button', { name: 'Afvis' }).click();
    await sees(page, 'Brevet er afvist.');
    expect((await read(letter.id)).rejection).toMatchObject({ explanation: 'Brevet er skrevet til en anden.' });
  });

  it('shows a main document that is a PDF at once', async () => {
    const content = writePdf('Ansoegning om aflastning');
    const letter = await receive({
      subject: 'Ansøgning',
      documents: [{ files: [file('ansøgning.pdf', 'application/pdf', content)] }, textDocument('Bilag', 'bilag.txt')],
    });
    const { page, complaints } = await openLetter(letter);
    const text = page.frameLocator('iframe').locator('.text');
    await text.waitFor({ state: 'attached' });
    expect(await text.textContent()).toBe('Ansoegning om aflastning');
    expect(await page.frameLocator('iframe').locator('.tools span').textContent()).toBe('Side 1');
    await look(page, 'letter-pdf');
    expect(faultsIn(complaints)).toEqual([]);
  });

  it.each([
    ['a font that it does not bring', writePdf('Helvetica'), 500],
    ['a page scanned in JBIG2', SCANNED_IN_JBIG2, 10_000],
    ['a page scanned in JPEG 2000', SCANNED_IN_JPEG_2000, 10_000],
  ])('draws a PDF with %s', async (_what, content, ink) => {
    const letter = await receive({ documents: [{ files: [file('brev.pdf', 'application/pdf', content)] }] });
    const { page, complaints } = await openLetter(letter);
    const canvas = page.frameLocator('iframe').locator('canvas').first();
    await canvas.waitFor();
    const darkPixels = () =>
      canvas.evaluate((drawn: Drawn) => {
        const { data } = drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height);
        let dark = 0;
        for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255 && (data[at] as number) < 64) dark += 1;
        return dark;
      });
    await expect.poll(darkPixels, { timeout: 20_000 }).toBeGreaterThan(ink);
    // Chromium warns of a canvas that is read twice, as by this poll.
    expect(faultsIn(complaints).filter((text) => !text.startsWith('Canvas2D: Multiple readback'))).toEqual([]);
  });

  it.each([
    ['wide', 1920, 'light'],
    ['narrow', 380, 'dark'],
  ] as const)('can be used by everybody, %s', async (name, width, colorScheme) => {
    const letter = await receiveReply({ ...hostile, subject: 'Et meget langt emne '.repeat(8) });
    const options = { viewport: { width, height: 900 }, colorScheme };
    const { page } = await openLetter(letter, LOG_READER, options);
    await sees(page, 'Kære kommune');
    await page.getByRole('button', { name: 'Vis billede.png' }).click();
    await page.frameLocator('iframe').getByRole('img').waitFor();
    await page.getByText('Hent som zip').click();
    await look(page, `letter-${name}`);
    expect(await violationsOf(page)).toEqual([]);
    for (const key of ['j', 'a', 't']) {
      await page.getByRole('heading', { level: 1 }).focus();
      await page.keyboard.press(key);
      await page.getByRole('dialog').waitFor();
      await look(page, `letter-${name}-${key}`);
      expect(await violationsOf(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
    }
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate<number>(overflow)).toBe(0);
  });
});
