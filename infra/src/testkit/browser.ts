import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian’s, or the one that the environment names. Nothing is downloaded. */
export const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';

// Shorter than a test’s, so that it says what it waited for.
const DEADLINE_MS = 20_000;

export interface WatchedPage {
  readonly page: Page;
  /** The URL of every request, also of one that was blocked. */
  readonly requests: readonly string[];
  /** What the browser complains of: violations of the Content-Security-Policy, scripts and requests that fail. */
  readonly complaints: readonly string[];
}

export interface WatchedBrowser {
  /** A page with nothing kept from others. */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
  close(): Promise<void>;
}

/** Chromium without a window, which can reach this machine only: 127.0.0.1, and 127.0.0.2, which is another site to it. */
export async function openBrowser(): Promise<WatchedBrowser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    chromiumSandbox: process.getuid?.() !== 0, // root has none
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE 127.0.0.2'],
  });
  return {
    async open(options) {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(DEADLINE_MS);
      const requests: string[] = [];
      const complaints: string[] = [];
      context.on('request', (request) => requests.push(request.url()));
      context.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
      context.on('weberror', (error) => complaints.push(error.error().message));
      context.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      return { page: await context.newPage(), requests, complaints };
    },
    close: () => browser.close(),
  };
}
