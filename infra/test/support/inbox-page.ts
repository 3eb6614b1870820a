import type { Page } from 'playwright-core';
import type { WatchedBrowser, WatchedPage } from '../../src/testkit/browser.js';
import type { TestStack, TokenOptions } from '../../src/testkit/stack.js';
import { Visitor } from './visitor.js';

/** Set this, and each page that a test looks at is kept there. */
const SCREENSHOTS = process.env.SCREENSHOTS;

/**
 * The inbox page of a stack that has it (`INBOX_PAGE: 'on'`), signed in as somebody of ODENSKOV: by default a caseworker with
 * every role.
 */
export async function openInbox(
  browser: WatchedBrowser,
  stack: TestStack,
  as: TokenOptions = {},
  options: Parameters<WatchedBrowser['open']>[0] = {},
): Promise<WatchedPage> {
  const visitor = new Visitor();
  await visitor.post(`${stack.url}/inbox/sign-in`, { token: await stack.token(as) });
  const watched = await browser.open({ locale: 'da-DK', ...options });
  const cookies = [...visitor.cookies].map(([name, value]) => ({ name, value, url: stack.url }));
  await watched.page.context().addCookies(cookies);
  await watched.page.goto(`${stack.url}/inbox`);
  return watched;
}

export async function look(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
}
