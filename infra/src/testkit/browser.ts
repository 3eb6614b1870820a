import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian’s; nothing is downloaded. */
export const CHROMIUM = '/usr/bin/chromium';

export interface WatchedPage {
  readonly page: Page;
  /** The URL of every request, also of one that was blocked. */
  readonly requests: readonly string[];
  /** What the browser complains of: violations of the Content-Security-Policy, scripts that fail, answers that are errors. */
  readonly complaints: readonly string[];
}

export interface WatchedBrowser {
  /** A new page, with nothing kept from others. */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Where the browser wanted to connect to, other than this machine: nothing of it was let through. */
  readonly strangers: readonly string[];
  close(): Promise<void>;
}

/** Chromium without a window, and with its network watched: this machine is all that it can reach. */
export async function openBrowser(): Promise<WatchedBrowser> {
  const strangers: string[] = [];
  // All but this machine goes through this proxy, also what is no request of a page, such as preconnecting.
  const proxy = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      strangers.push(data.toString('latin1').split('\r\n')[0] as string);
      socket.destroy();
    });
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as AddressInfo;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    chromiumSandbox: process.getuid?.() !== 0, // as root, Chromium has none
    proxy: { server: `http://127.0.0.1:${port}`, bypass: '127.0.0.1' },
  });
  return {
    strangers,
    async open(options) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const requests: string[] = [];
      const complaints: string[] = [];
      context.on('request', (request) => requests.push(request.url()));
      context.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
      context.on('weberror', (error) => complaints.push(error.error().message));
      context.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      return { page, requests, complaints };
    },
    async close() {
      await browser.close();
      proxy.close();
    },
  };
}
