// @module-tag long
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RECIPIENT, rejected, transactionOf } from '../../services/receiver/test/support/onward.js';
import { read } from '../../shared/test/inbox/support.js';
import { distribute } from '../src/local/distribution/write-distribution.js';
import { CHROMIUM, openBrowser, type WatchedBrowser } from '../src/testkit/browser.js';
import { type DistributionService, startDistributionService } from '../src/testkit/distribution-service.js';
import { SYSTEM_ID } from '../src/testkit/sending-on.js';
import { type FaultySftpServer, sftpEnv, startFaultySftpServer } from '../src/testkit/sftp-server.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';
import { writeReceipt } from '../src/testkit/write-receipt.js';
import { violationsOf } from './support/axe.js';
import { openInbox } from './support/inbox-page.js';

// How a caseworker sends a rejected letter on to another authority, and sees what became of it, in Chromium.

describe.skipIf(!existsSync(CHROMIUM))('the page of a rejected letter', () => {
  let sftp: FaultySftpServer;
  let service: DistributionService;
  let stack: TestStack;
  let browser: WatchedBrowser;
  beforeAll(async () => {
    sftp = await startFaultySftpServer();
    service = await startDistributionService();
    stack = await startTestStack({
      ...sftpEnv(sftp),
      INBOX_PAGE: 'on',
      SF2900_SENDING: 'on',
      SF2900_SYSTEM_ID: SYSTEM_ID,
      SF2900_SERVICE_URL: service.url,
    });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await service?.close();
    await sftp?.close();
  });

  it('sends it on, and tells in a line what the recipient says', async () => {
    const id = await rejected(stack);
    const { page, complaints } = await openInbox(browser, stack);
    await page.goto(`${stack.url}/inbox/letters/${id}`);
    await page.getByRole('button', { name: 'Send videre til anden myndighed' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Myndighedens CVR-nummer').fill(RECIPIENT);
    await dialog.getByLabel('KLE-emne').fill('27.24.00');
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Send videre' }).click();
    await page.getByText('Brevet bliver sendt videre.').first().waitFor();
    await page.getByText(`Sendt videre til CVR ${RECIPIENT}.`).waitFor();
    await expect.poll(async () => (await read(stack, id)).sentOn?.status, { timeout: 20_000 }).toBe('sent');

    await distribute(
      stack.url,
      writeReceipt({ transactionId: await transactionOf(stack, id), code: 'AFVIST', reason: 'Bor ikke her' }),
    );

    await page.reload();
    await page.getByText(`Fordelingskomponenten, til CVR ${RECIPIENT}: afvist.`).waitFor();
    await page.getByText('Bor ikke her').waitFor();
    await page.getByText('Ingen har oplyst, hvad der er sket med brevet.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(complaints.filter((text) => !text.includes('ERR_ABORTED'))).toEqual([]);
  });
});
