// @module-tag long
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeDocument } from '../../services/receiver/test/support/receipts.js';
import { change, deliverMemo, read, upsertCase } from '../../shared/test/inbox/support.js';
import { CHROMIUM, openBrowser, type WatchedBrowser } from '../src/testkit/browser.js';
import { type DistributionService, startDistributionService } from '../src/testkit/distribution-service.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';
import { violationsOf } from './support/axe.js';
import { openInbox } from './support/inbox-page.js';

// What a caseworker writes to the sender of a document, and is told of what cannot be undone, in Chromium.

describe.skipIf(!existsSync(CHROMIUM))('the page of one letter', () => {
  let service: DistributionService;
  let stack: TestStack;
  let browser: WatchedBrowser;
  beforeAll(async () => {
    service = await startDistributionService();
    stack = await startTestStack({
      INBOX_PAGE: 'on',
      SF2900_SERVICE_URL: service.url,
      SF2900_RECEIPT_DELAY_SECONDS: '0',
    });
    browser = await openBrowser();
    await upsertCase(stack, 'BF-1');
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await service?.close();
  });

  const open = async (id: string, form: 'rejected' | 'taken-back') => {
    const { page, complaints } = await openInbox(browser, stack);
    await page.goto(`${stack.url}/inbox/letters/${id}`);
    await page.locator(`[data-change="${form}"]`).click();
    await page.getByRole('dialog').waitFor();
    return { page, complaints };
  };
  const sent = (id: string) =>
    expect
      .poll(async () => (await read(stack, id)).distribution?.receipts.map(({ status }) => status), { timeout: 20_000 })
      .toEqual(['sent']);

  it('asks for words to the sender of a document that is rejected, and says that it cannot be undone then', async () => {
    const { id } = await takeDocument(stack);
    const { page, complaints } = await open(id, 'rejected');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Den myndighed, der sendte dokumentet, læser den.').waitFor();
    await dialog.getByText('Når afsenderen har fået besked, kan afvisningen ikke fortrydes.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByLabel('Andet').check();
    await dialog.getByLabel('Begrundelse', { exact: true }).fill('Hører til i regionen.');
    await dialog.getByLabel('Begrundelse til afsenderen').fill('Send det til regionen.');
    await dialog.getByText('Afsenderen er underrettet').click();
    await dialog.getByRole('button', { name: 'Afvis' }).click();
    await page.getByText('Brevet er afvist.').first().waitFor();
    expect((await read(stack, id)).rejection).toMatchObject({
      explanation: 'Hører til i regionen.',
      reasonForSender: 'Send det til regionen.',
    });

    await sent(id);
    expect(service.calls.at(-1)?.request).toMatchObject({
      Forretningskvittering: { Begrundelse: 'Send det til regionen.' },
    });
    // The page still has the button of before.
    await page.keyboard.press('g');
    await page.getByText('En anden har ændret brevet imens.').waitFor();
    expect(complaints.filter((text) => !/412|Precondition|ERR_ABORTED/.test(text))).toEqual([]);
  });

  it('asks for no such words of a letter of Digital Post', async () => {
    const { page } = await open(await deliverMemo(stack), 'rejected');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Afsenderen får ikke besked.').waitFor();
    expect(await dialog.getByLabel('Begrundelse til afsenderen').count()).toBe(0);
  });

  it('warns who takes a journalization back that the sender knows of it', async () => {
    const { id } = await takeDocument(stack);
    await change(stack, 'POST', `${id}/journalization`, { version: 1, body: { caseIds: ['BF-1'] } });
    await sent(id);
    const { page } = await open(id, 'taken-back');
    await page.getByRole('dialog').getByText('Den besked kan ikke trækkes tilbage.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
  });

  it('offers no reopening once the sender knows', async () => {
    const { id } = await takeDocument(stack);
    const body = { reason: 'other', explanation: 'Hører til i regionen.' };
    await change(stack, 'POST', `${id}/rejection`, { version: 1, body });
    await sent(id);
    const { page } = await openInbox(browser, stack);
    await page.goto(`${stack.url}/inbox/letters/${id}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('Gav afsenderen besked om, hvad der blev af dokumentet').waitFor();
    expect(await page.locator('[data-change="reopened"]').count()).toBe(0);
    expect(await page.locator('[data-change="outcome-told"]').count()).toBe(1);
  });
});
