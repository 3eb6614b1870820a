import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { INSTALLATION } from '@indbakke/shared/audit';
import { createLog } from '@indbakke/shared/log';
import { openQueues, type Queues } from '@indbakke/shared/queue';
import { makeOneTimeSecret } from '@indbakke/shared/sign-in';
import type { Queue } from 'bullmq';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PAGES } from '../../services/operations/src/pages/pages.js';
import { TEXTS } from '../../services/operations/src/pages/texts.js';
import { SECTIONS } from '../../services/operations/src/sections/sections.js';
import { distribute, writeDistribution } from '../src/local/distribution/write-distribution.js';
import { CHROMIUM, openBrowser, type WatchedBrowser, type WatchedPage } from '../src/testkit/browser.js';
import { type Relay, startRelay } from '../src/testkit/relay.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';
import { violationsOf } from './support/axe.js';

// The operations pages of a stack where everything that they show has gone wrong: as a person uses them, and in Chromium.

let stack: TestStack;
let relay: Relay;
let queues: Queues;
let operator: string;
const link = makeOneTimeSecret();
const webhook = randomUUID();

beforeAll(async () => {
  stack = await startTestStack(
    async ({ serviceUrl }) => {
      relay = await startRelay(serviceUrl);
      return { DATABASE_URL: relay.url };
    },
    { operations: link },
  );
  queues = openQueues({ url: stack.serviceUrl, log: createLog('test', 'silent') });
  operator = await stack.operatorsToken();
  await stack.sql('UPDATE municipalities SET takes_enquiries = false WHERE cvr = $1', [VESTERSUND]);
  for (let count = 0; count < 3; count += 1) await deliverHeld();
  for (let count = 0; count < 2; count += 1) await stack.deliver(writeMemo({ contactPointId: randomUUID() }));
  for (let count = 0; count < 6; count += 1) await stack.deliver('<x/>');
  await stack.deliver('<y/>');
  await stack.sql(
    `INSERT INTO webhooks (id, municipality, url, event_types, status, disabled_cause, secret, secret_key_id, position, failing_since, created_at, enabled_at)
     SELECT id, $2, 'https://core.example/', '{}', status, cause, '\\x00', key_id, 0, now() - interval '6 days', now(), now()
     FROM (VALUES ($1::uuid, 'disabled', 'failing'), (gen_random_uuid(), 'active', NULL)) AS w (id, status, cause),
       (SELECT key_id FROM message_keys LIMIT 1) AS k`,
    [webhook, ODENSKOV],
  );
  await stack.sql(
    `INSERT INTO webhook_deliveries (webhook_id, id, municipality, body, created_at, give_up_at, next_enqueue_at)
     VALUES ($1, $1, $2, '{}', now(), now() + interval '3 days', now() + interval '1 hour')`,
    [webhook, ODENSKOV],
  );
  await stack.sql(
    `INSERT INTO webhook_attempts (webhook_id, delivery_id, number, municipality, at, http_status, error, milliseconds)
     VALUES ($1, $1, 1, $2, now(), 500, NULL, 1), ($1, $1, 2, $2, now(), NULL, 'timeout', 1)`,
    [webhook, ODENSKOV],
  );
  await distribute(stack.url, writeDistribution({ fileName: 'hemmelig.pdf' }));
  await stack.sql(`UPDATE file_fetches SET status = 'given-up', fault = 'not-there', attempts = 41`);
  await stack.sql(`UPDATE files SET status = 'missing' WHERE status = 'expected'`);
  for (let count = 0; count < 2; count += 1) await distribute(stack.url, writeDistribution());
  await stack.sql(
    `INSERT INTO business_receipts (id, message_id, municipality, code, status, at, attempts, fault, next_enqueue_at)
     SELECT gen_random_uuid(), message_id, municipality, 'AFVIST', 'sending', now() - interval '2 hours', 11, 'timeout', now()
     FROM distributions WHERE message_id NOT IN (SELECT message_id FROM file_fetches)`,
  );
  await stack.sql(
    `INSERT INTO onward_distributions (id, message_id, municipality, recipient, kle, status, at, attempts, fault, asked_by, next_enqueue_at)
     SELECT gen_random_uuid(), message_id, municipality, '11111111', '27.24.00', 'waiting', now() - interval '2 hours', 9, 'refused', 'ops-pages', now()
     FROM distributions WHERE message_id NOT IN (SELECT message_id FROM file_fetches) LIMIT 1`,
  );
  await stack.sql(`DELETE FROM quarantine_entries WHERE count = 1`); // so that there is something to scrub
  for (let count = 0; count < 3; count += 1) await fail('make-zip');
});

afterAll(async () => {
  await queues.close();
  await stack.close();
  await relay.close();
});

const deliverHeld = () => stack.deliver(writeMemo({ recipient: { id: VESTERSUND } }));
const queueOf = (name: string) => queues.all().find((queue) => queue.name === name) as Queue;

/** A job that is given up at once, since its data is invalid. */
async function fail(name: string): Promise<string> {
  const jobId = `job-${randomUUID()}`;
  await queueOf(name).add(name, {}, { jobId });
  await vi.waitFor(async () => expect((await queueOf(name).getJob(jobId))?.failedReason).toBe('job-data'), 10_000);
  return jobId;
}

const read = async (path: string, language = 'da') => {
  const headers = { authorization: `Bearer ${operator}`, accept: 'text/html', 'accept-language': language };
  return (await fetch(stack.url + path, { headers })).text();
};

/** Does an action without asking, and reads the page that follows. */
async function act(path: string, input: Record<string, string>): Promise<string> {
  const headers = { authorization: `Bearer ${operator}` };
  const response = await fetch(stack.url + path, {
    method: 'POST',
    headers,
    body: new URLSearchParams(input),
    redirect: 'manual',
  });
  expect(response.status).toBe(303);
  const [answer = ''] = response.headers.getSetCookie().map((line) => line.split(';')[0] as string);
  const page = await fetch(stack.url + (response.headers.get('location') ?? ''), {
    headers: { ...headers, cookie: answer },
  });
  return /role="status">([^<]*)</.exec(await page.text())?.[1] ?? '';
}

const audited = (action: string) =>
  stack.sql<{ municipality: string }>(
    'SELECT municipality, actor, role, message_id, details FROM audit_events WHERE action = $1 AND actor = $2 ORDER BY at DESC LIMIT 1',
    [action, 'operator-1'],
  );
const BY = { actor: 'operator-1', role: 'Indbakke.Drift', message_id: null };

describe('the overview', () => {
  it('shows each section, and names what needs acting on first', async () => {
    const page = await read('/ops');
    for (const { name, texts } of SECTIONS) {
      expect(page).toContain(`<section data-fresh id="${name}"`);
      expect(page).toContain(texts.da.title);
    }
    for (const name of ['failed-jobs', 'held', 'quarantine', 'webhooks', 'receipts', 'sending-on']) {
      expect(page).toContain(`<a href="#${name}">`);
    }
    expect(page).toContain('3 job er fejlet');
    expect(page).toContain('5 breve holdes tilbage');
    expect(page).toContain('1 leverance gensendes igen og igen');
    expect(page).toContain('2 webhooks får ikke deres hændelser');
    expect(page).toContain('2 kvitteringer er ikke sendt');
    expect(page).toMatch(/<code>22222222<\/code>.*<code>AFVIST<\/code>.*2<.*11<.*<code>timeout<\/code>/s);
    expect(page).toContain('1 brev er ikke sendt videre');
    expect(page).toMatch(/<code>22222222<\/code>.*<code>11111111<\/code>.*1<.*9<.*<code>refused<\/code>/s);
  });

  it('says what the receiver of a webhook answered last', async () => {
    const page = await read('/ops/webhooks');
    expect(page).toContain('<code>timeout</code>');
    expect(page).not.toContain('<code>500</code>');
  });

  it('is in the language that the browser prefers', async () => {
    expect(await read('/ops', 'en-GB,en;q=0.9')).toContain('<html lang="en">');
    expect(await read('/ops', 'fr')).toContain('<html lang="da">');
  });

  it('names nobody, and has no content', async () => {
    const pages = await Promise.all(['/ops', ...PAGES.map(({ name }) => `/ops/${name}`)].map((path) => read(path)));
    expect(pages.join()).not.toMatch(/4101019999|Testesen|core\.example/);
  });
});

it('all texts are in both languages', () => {
  const keysOf = (value: unknown, path = ''): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`))
      : [`${path}: ${typeof value}`];
  for (const texts of [TEXTS, ...SECTIONS.map((each) => each.texts), ...PAGES.map((each) => each.texts)]) {
    expect(keysOf(texts.en)).toEqual(keysOf(texts.da));
  }
});

describe('an action', () => {
  it('asks first, and changes nothing by being asked about', async () => {
    for (const { name, actions } of PAGES) {
      for (const action of Object.keys(actions)) {
        const page = await read(`/ops/${name}`);
        const [, url = ''] = new RegExp(`href="(/ops/${name}/${action}\\?[^"]*)"`).exec(page) ?? [];
        const question = await read(url.replaceAll('&amp;', '&'));
        expect(question).toMatch(new RegExp(`<form class="question" method="post" action="/ops/${name}/${action}">`));
        expect(question).toMatch(/<p>[^<]+\?/);
      }
    }
    expect(await stack.sql(`SELECT action FROM audit_events WHERE actor = 'operator-1'`)).toEqual([]);
  });

  it('tries a job again', async () => {
    const job = await fail('make-zip');
    const { attemptsStarted: before = 0 } = (await queueOf('make-zip').getJob(job)) ?? {};
    expect(await act('/ops/failed-jobs/retry', { queue: 'make-zip', job })).toBe(`Jobbet ${job} er sat i kø igen.`);
    await expect.poll(async () => (await queueOf('make-zip').getJob(job))?.failedReason).toBe('job-data');
    expect(before).toBeGreaterThan(0);
    expect(await audited('job-retried')).toEqual([
      { ...BY, municipality: INSTALLATION, details: { queue: 'make-zip', jobId: job } },
    ]);
    expect(await act('/ops/failed-jobs/retry', { queue: 'make-zip', job: 'gone' })).toMatch(/^Det kunne ikke gøres/);
  });

  it('that several operators do at once is done, or is too late', async () => {
    const job = await fail('make-zip');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => act('/ops/failed-jobs/retry', { queue: 'make-zip', job })),
    );
    for (const answer of answers) expect(answer).toMatch(/sat i kø igen|^Det kunne ikke gøres/);
    expect(answers.join()).toContain('sat i kø igen');
    await expect.poll(async () => (await queueOf('make-zip').getJob(job))?.getState()).toBe('failed');
    await (await queueOf('make-zip').getJob(job))?.remove();
  });

  it('tries all failed jobs of a kind again, each once', async () => {
    await expect.poll(async () => (await queueOf('make-zip').getJobCounts('failed')).failed).toBe(4);
    expect(await act('/ops/failed-jobs/retry-all', { queue: 'make-zip' })).toMatch(
      /^4 job er sat i kø igen; \d fejlede/,
    );
    expect(await audited('jobs-retried')).toEqual([
      { ...BY, municipality: INSTALLATION, details: { queue: 'make-zip', jobs: 4 } },
    ]);
    await expect.poll(async () => (await queueOf('make-zip').getJobCounts('failed')).failed).toBe(4);
  });

  it('fetches the file of a document again, in the log of the municipality', async () => {
    const [fetch] = await stack.sql<{ message: string }>('SELECT message_id AS message FROM file_fetches');
    const message = fetch?.message as string;
    expect(await read('/ops/files')).toMatch(/kom ikke.*not-there/s);
    expect(await read('/ops/files')).not.toContain('hemmelig');
    expect(await act('/ops/files/fetch', { municipality: ODENSKOV, message })).toBe(
      `Filen til brevet ${message} hentes nu.`,
    );
    expect(await audited('file-asked')).toMatchObject([{ ...BY, municipality: ODENSKOV, message_id: message }]);
    const files = 'SELECT t.status, attempts, f.status AS file FROM file_fetches t JOIN files f USING (id)';
    expect(await stack.sql(files)).toEqual([{ status: 'waiting', attempts: 0, file: 'expected' }]);
    const [held] = await stack.sql<{ id: string }>(`SELECT id FROM messages WHERE channel = 'sf1606' LIMIT 1`);
    expect(await act('/ops/files/fetch', { municipality: ODENSKOV, message: held?.id as string })).toMatch(
      /^Det kunne ikke gøres/,
    );
  });

  it('releases a message, or all of a municipality and cause, in the log of the municipality', async () => {
    const [held] = await stack.sql<{ id: string }>(
      `SELECT id FROM messages WHERE municipality = $1 AND held_cause = 'unknown-contact-point' LIMIT 1`,
      [ODENSKOV],
    );
    const message = held?.id as string;
    expect(await act('/ops/held/release', { municipality: ODENSKOV, message })).toBe(`Brevet ${message} er frigivet.`);
    expect(await audited('released')).toMatchObject([{ ...BY, municipality: ODENSKOV, message_id: message }]);
    expect(await act('/ops/held/release', { municipality: ODENSKOV, message })).toMatch(
      /^Det kunne ikke gøres|frigivet/,
    );
    const [conflict] = await stack.sql<{ id: string }>(
      `UPDATE messages SET held_cause = 'conflict' WHERE id =
         (SELECT id FROM messages WHERE municipality = $1 AND status = 'held' LIMIT 1) RETURNING id`,
      [VESTERSUND],
    );
    const id = conflict?.id as string;
    expect(await act('/ops/held/release', { municipality: VESTERSUND, message: id })).toMatch(/^Det kunne ikke gøres/);
    await stack.sql(`UPDATE messages SET held_cause = 'enquiries-off' WHERE id = $1 AND status = 'held'`, [id]);
    for (let count = 0; count < 2; count += 1) await deliverHeld();
    const all = { municipality: VESTERSUND, cause: 'enquiries-off' };
    expect(await act('/ops/held/release-all', all)).toBe('5 breve er frigivet.');
    expect(await act('/ops/held/release-all', { ...all, cause: 'conflict' })).toMatch(/^Det kunne ikke gøres/);
    await deliverHeld();
  });

  it('ends a resend loop', async () => {
    const [loop] = await stack.sql<{ id: string }>('SELECT id FROM quarantine_entries');
    const entry = loop?.id as string;
    expect(await act('/ops/quarantine/accept', { entry })).toContain(entry);
    expect(await audited('quarantine-accepted')).toEqual([
      { ...BY, municipality: INSTALLATION, details: { entryId: entry } },
    ]);
    expect((await stack.deliver('<x/>')).status).toBe(200);
    expect(await act('/ops/quarantine/accept', { entry: randomUUID() })).toMatch(/^Det kunne ikke gøres/);
    await stack.sql(`UPDATE quarantine_entries SET status = 'kept', accepted_at = NULL, accepted_by = NULL`);
  });

  it('enables a webhook', async () => {
    expect(await act('/ops/webhooks/enable', { municipality: ODENSKOV, webhook })).toContain('slået til igen');
    const [row] = await stack.sql('SELECT status, disabled_cause FROM webhooks WHERE id = $1', [webhook]);
    expect(row).toEqual({ status: 'active', disabled_cause: null });
    const details = { webhookId: webhook, fields: 'status', status: 'active' };
    expect(await audited('webhook-changed')).toEqual([{ ...BY, municipality: ODENSKOV, details }]);
    await stack.sql(`UPDATE webhooks SET status = 'disabled', disabled_cause = 'failing' WHERE id = $1`, [webhook]);
  });

  it('that is refused is so in either language, by a link of its page', async () => {
    const page = await read('/ops/held/release?municipality=x');
    expect(page).toContain('href="/ops/held/release?municipality=x&amp;language=en"');
  });

  it('with input that is not of its page is refused', async () => {
    const headers = { authorization: `Bearer ${operator}` };
    const body = new URLSearchParams({ queue: 'nonsense', job: "x'" });
    const response = await fetch(`${stack.url}/ops/failed-jobs/retry`, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
  });
});

const SCREENSHOTS = process.env.OPS_SCREENSHOTS;

describe.skipIf(!existsSync(CHROMIUM))('in Chromium', { tags: 'long' }, () => {
  let browser: WatchedBrowser;
  let session: Awaited<ReturnType<BrowserContext['cookies']>>;

  beforeAll(async () => {
    browser = await openBrowser();
    const { page } = await browser.open();
    await page.goto(`${stack.url}/ops/sign-in/once?secret=${link.secret}`);
    await page.waitForURL(`${stack.url}/ops`);
    session = await page.context().cookies();
    await page.context().close();
  });

  afterAll(() => browser.close());

  async function open(options: Parameters<WatchedBrowser['open']>[0] = {}): Promise<WatchedPage> {
    const watched = await browser.open({ locale: 'da-DK', ...options });
    await watched.page.context().addCookies(session);
    return watched;
  }

  const SHOWN = ['/ops', ...PAGES.map(({ name }) => `/ops/${name}`), '/ops/scrub/start', '/ops/held/release?x=y'];
  const SCREENS = [380, 1920].flatMap((width) =>
    (['light', 'dark'] as const).flatMap((colorScheme) => [[width, colorScheme] as const]),
  );

  it.each(SCREENS)('every page fits %i px, and has no fault in %s', async (width, colorScheme) => {
    const watched = await open({ viewport: { width, height: 900 }, colorScheme });
    const { page, requests, complaints } = watched;
    const faults: string[] = [];
    for (const path of SHOWN) {
      await page.goto(stack.url + path);
      await look(page, path);
      faults.push(...(await violationsOf(page)).map((fault) => `${path} ${fault}`));
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (overflow > 0) faults.push(`${path} is ${overflow} px too wide`);
    }
    await page.context().clearCookies();
    await page.goto(`${stack.url}/ops/held`);
    await look(page, '/ops/sign-in');
    faults.push(...(await violationsOf(page)).map((fault) => `/ops/sign-in ${fault}`));
    expect(faults).toEqual([]);
    expect([...new Set(requests.map((url) => new URL(url).host))]).toEqual([new URL(stack.url).host]);
    expect(complaints.filter((text) => !text.includes('400'))).toEqual([]);

    async function look(shown: Page, path: string): Promise<void> {
      if (!SCREENSHOTS) return;
      mkdirSync(SCREENSHOTS, { recursive: true });
      const name = `${path.replaceAll(/\W+/g, '-').slice(1)}-${width}-${colorScheme}.png`;
      await shown.screenshot({ path: `${SCREENSHOTS}/${name}`, fullPage: true });
    }
  });

  it('everything can be done without a mouse: sign in, find what failed, try it again, sign out', async () => {
    const { page } = await browser.open({ locale: 'en-GB' });
    const press = (key: string) => page.keyboard.press(key);
    const focused = () => page.evaluate<string>(`document.activeElement?.textContent?.trim() ?? ''`);
    /** Moves on until something with this text is focused. */
    const tabTo = async (text: string | RegExp) => {
      for (let steps = 0; steps < 80; steps += 1) {
        await press('Tab');
        if ((await focused()).match(text)) return;
      }
      throw new Error(`Tab does not reach ${text}.`);
    };
    await page.goto(`${stack.url}/ops`);
    await page.getByLabel('Token for operations').focus();
    await page.keyboard.insertText(operator);
    await press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await press('Tab');
    expect(await focused()).toBe('Skip to content');
    await press('Enter');
    await tabTo(/^See and act: Failed jobs/);
    await press('Enter');
    await page.getByRole('heading', { name: 'Failed jobs' }).waitFor();
    await tabTo(/^Try all \d again/);
    await press('Enter');
    await page.getByRole('heading', { name: 'Are you sure?' }).waitFor();
    await tabTo(/^Yes$/);
    await press('Enter');
    expect(await page.getByRole('status').textContent()).toMatch(/^\d jobs are in their queue again/);
    await page.reload();
    expect(await page.getByRole('status').count()).toBe(0);
    await tabTo(/^Sign out$/);
    await press('Enter');
    await page.getByLabel('Token for operations').waitFor();
  });

  it('the language can be chosen, and stays', async () => {
    const { page } = await open();
    await page.goto(`${stack.url}/ops`);
    await page.getByRole('link', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.goto(`${stack.url}/ops/held`);
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  it('the page is fresh every 15 seconds, focus and open tables stay, and it can be held', async () => {
    const { page, requests } = await open();
    await page.clock.install();
    await page.goto(`${stack.url}/ops/held`);
    const cell = page.locator('table').first().getByRole('row').filter({ hasText: VESTERSUND }).locator('.number');
    const before = Number(await cell.textContent());
    await page.locator('summary').click();
    const button = page.getByRole('link', { name: new RegExp(`^Frigiv alle ${VESTERSUND}`) });
    await button.focus();
    await deliverHeld();
    await page.clock.runFor(15_000);
    await expect.poll(() => cell.textContent()).toBe(String(before + 1));
    expect(await page.evaluate<string>('document.activeElement.id')).toBe(await button.getAttribute('id'));
    expect(await page.locator('details').getAttribute('open')).toBe('');
    await page.getByRole('button', { name: 'Sæt opdatering på pause' }).click();
    const asked = requests.length;
    await page.clock.runFor(60_000);
    expect(requests.length).toBe(asked);
  });

  it('a chart is drawn by a script of ours, and its figures are a table', async () => {
    const { page } = await open();
    await page.goto(`${stack.url}/ops/held`);
    await page.locator('.plot canvas').waitFor();
    await page.locator('summary').click();
    expect(await page.locator('details tbody tr').count()).toBe(14);
  });

  it('prints what is shown and nothing to press, dark on white', async () => {
    const { page } = await open({ colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await page.goto(`${stack.url}/ops/held`);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.locator('.button:visible').count()).toBe(0);
    expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate<string>('getComputedStyle(document.body).color')).toBe('rgb(26, 26, 26)');
  });

  it('the queue console is behind the same sign-in, and changes only what it says that it does', async () => {
    const job = await fail('make-extract');
    const { page, complaints } = await open({ locale: 'en-GB' });
    await page.goto(`${stack.url}/ops/queues/queue/make-extract?status=failed`);
    await page.getByText(job).waitFor();
    const asked = page.waitForRequest((request) => request.method() === 'PUT');
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    expect((await (await asked).response())?.status()).toBe(200);
    expect(complaints).toEqual([]);
  });
});

it('while the database is away, the page says what cannot be read', async () => {
  await relay.cut();
  const page = await read('/ops');
  expect(page).toContain('Ikke klar: Database');
  expect(page).toContain('Kunne ikke læses');
  await relay.restore();
});

it('a scrub is started, and ends', async () => {
  await expect.poll(() => act('/ops/scrub/start', {})).toMatch(/^Rensningen er begyndt|i gang|intet at rense/);
  await expect
    .poll(() => stack.sql(`SELECT FROM audit_events WHERE action = 'scrubbed'`), { timeout: 20_000 })
    .toHaveLength(1);
  expect(await audited('scrub-started')).toEqual([{ ...BY, municipality: INSTALLATION, details: {} }]);
});
