import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLog } from '@indbakke/shared/log';
import { openQueues, SUGGEST_CASE } from '@indbakke/shared/queue';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../tools/local-state.mjs';
import { CHROMIUM, openBrowser, type WatchedBrowser, type WatchedPage } from '../src/testkit/browser.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';

// No page makes a browser call another host, or lets a script in. As headers and texts say so, and, where Chromium is
// installed, as it does.

let stack: TestStack;
let operator: string;

beforeAll(async () => {
  stack = await startTestStack();
  operator = await stack.operatorsToken();
});

afterAll(() => stack.close());

/** The directives of an answer’s Content-Security-Policy. */
function policyOf({ headers }: Response): Record<string, string[]> {
  const directives = (headers.get('content-security-policy') ?? '').split('; ').map((text) => text.split(' '));
  return Object.fromEntries(directives.map(([name, ...sources]) => [name, sources]));
}

/** What may name another host: attributes that load, and CSS. */
const OTHER_HOSTS =
  /<(?!a )[^>]*\s(?:href|src|srcset|action|data)\s*=\s*["']?(?:https?:)?\/\/|url\(\s*["']?(?:https?:)?\/\/|@import/i;

describe('every answer', () => {
  const get = (path: string, authorization?: string) =>
    fetch(stack.url + path, { redirect: 'manual', ...(authorization && { headers: { authorization } }) });
  const asOperator = (path: string) => get(path, `Bearer ${operator}`);

  it.each<[string, () => Promise<Response>]>([
    ['that a probe gets', () => get('/readyz')],
    ['of the metrics', () => get('/metrics')],
    ['of the API description', () => get('/api/v1/openapi.json')],
    ['of the documentation', () => get('/api/v1/docs')],
    ['of the WSDL', () => get('/sf1606/soap?wsdl')],
    ['of the inbox API', () => stack.call('GET', '/incoming-documents')],
    ['that refuses a call', () => get('/api/v1/incoming-documents')],
    ['that refuses a path', () => get('/%')],
    ['that finds nothing', () => get('/nonsense')],
    ['to a delivery', () => stack.deliver(writeMemo())],
    ['to a refused delivery', () => stack.deliver('<x/>')],
    ['that asks operators to sign in', () => get('/ops/queues')],
    ['of the queues', () => asOperator('/ops/queues')],
    ['of one queue', () => asOperator('/ops/queues/queue/suggest-case')],
    ['of a queue that is not there', () => asOperator('/ops/queues/api/queues/nonsense/1')],
    ['of the operations page', () => asOperator('/ops')],
    ['of the page to sign in to it', () => get('/ops/sign-in')],
    ['with a script of theirs', () => get('/ops/static/operations.mjs')],
    ['with their jobs', () => asOperator('/ops/queues/api/queues')],
    ['with their images', () => asOperator('/ops/queues/static/images/logo.svg')],
    ['with an image that is not there', () => asOperator('/ops/queues/static/nonsense.png')],
    ['with a folder of theirs', () => asOperator('/ops/queues/static/js/')],
  ])(
    '%s lets a browser load nothing from other hosts, run no script of the page, and frame it nowhere',
    async (_name, ask) => {
      const response = await ask();
      const { headers } = response;
      const policy = policyOf(response);
      expect(policy).toMatchObject({ 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] });
      expect([["'none'"], ["'self'"]]).toContainEqual(policy['form-action']);
      for (const [directive, sources] of Object.entries(policy)) {
        const allowed =
          directive === 'style-src' ? ["'none'", "'self'", "'unsafe-inline'"] : ["'none'", "'self'", 'data:'];
        expect(allowed).toEqual(expect.arrayContaining(sources));
      }
      expect(policy['script-src'] ?? []).not.toContain('data:');
      expect(headers.get('referrer-policy')).toBeOneOf(['no-referrer', 'same-origin']);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    },
  );

  it.each(['/api/v1/docs', '/ops', '/ops/sign-in', '/ops/queues', '/ops/queues/queue/suggest-case'])(
    'names no other host to load from: %s',
    async (path) => {
      expect(await (await asOperator(path)).text()).not.toMatch(OTHER_HOSTS);
    },
  );
});

const folderOf = (file: string) => dirname(fileURLToPath(import.meta.resolve(file)));

it.each([
  ['bull-board', join(folderOf('@bull-board/ui/package.json'), 'dist')],
  ['the design system', join(folderOf('dkfds'), '../css')],
  ['the charts', folderOf('uplot')],
  ['the operations pages', join(repository, 'services/operations/browser')],
])('no style of %s names another host', (_name, folder) => {
  const styles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.css'));
  expect(styles.length).toBeGreaterThan(0);
  for (const name of styles) expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(OTHER_HOSTS);
});

describe.skipIf(!existsSync(CHROMIUM))('in Chromium', () => {
  let browser: WatchedBrowser;
  let job: string;

  beforeAll(async () => {
    browser = await openBrowser();
    // Invalid data, so that it fails at once.
    const data = { messageId: randomUUID(), municipality: 'x', run: 1 };
    job = SUGGEST_CASE.idOf(data);
    const queues = openQueues({ url: stack.env.DATABASE_URL as string, log: createLog('test', 'silent') });
    queues.enqueue(SUGGEST_CASE, data);
    await queues.flush();
    await queues.close();
  });

  afterAll(() => browser.close());

  /** Opens a page as an operator. */
  async function open(path: string): Promise<WatchedPage> {
    const watched = await browser.open({ extraHTTPHeaders: { authorization: `Bearer ${operator}` } });
    await watched.page.goto(stack.url + path);
    return watched;
  }

  /** Whom the page asked, or told the browser to be ready to ask. */
  async function hostsOf({ page, requests }: WatchedPage): Promise<string[]> {
    const links = await page.evaluate<string[]>(`[...document.querySelectorAll('link')].map(({ href }) => href)`);
    return [...new Set([...requests, ...links].map((url) => new URL(url).host))];
  }

  const PAGES: [string, (page: Page) => Promise<void>][] = [
    ['/ops/queues', (page) => page.getByText('1 Job').waitFor()],
    [
      '/ops/queues/queue/suggest-case?status=failed',
      async (page) => {
        await page.getByText(job).waitFor();
        for (const tab of ['Options', 'Logs', 'Error', 'Data']) await page.getByText(tab, { exact: true }).click();
        await page.getByText('returnValue').waitFor();
      },
    ],
    ['/api/v1/docs', (page) => page.getByRole('heading', { name: 'Calls' }).waitFor()],
    ['/api/v1/openapi.json', (page) => page.getByText('3.1').first().waitFor()],
    ['/sf1606/soap?wsdl', (page) => page.getByText('PostModtagRequest').first().waitFor()],
    ['/metrics', (page) => page.getByText('indbakke_queue_jobs').first().waitFor()],
    ['/readyz', (page) => page.getByText('ready').first().waitFor()],
  ];

  it.each(PAGES)(
    '%s shows what it has, asks this host only and violates no policy',
    { tags: 'long' },
    async (path, isShown) => {
      const watched = await open(path);
      await isShown(watched.page);
      expect(await hostsOf(watched)).toEqual([new URL(stack.url).host]);
      expect(watched.complaints).toEqual([]);
    },
  );

  it.each(["default-src 'self'", 'default-src *'])('a page that asks another host is noticed: %s', async (policy) => {
    const server = createServer((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy });
      res.end('<link rel="preconnect" href="http://fonts.example"><img src="http://images.example/x.png">');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const watched = await browser.open();
    await watched.page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await hostsOf(watched)).toEqual(expect.arrayContaining(['fonts.example', 'images.example']));
    expect(watched.complaints.join()).toContain('http://images.example/x.png');
    server.close();
  });
});
