import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compareFeed, type Recorded } from '../src/lab/crash/feed/compare.js';
import { type Got, mend, save, saved } from '../src/lab/crash/feed/lines.js';

// The build: npm test builds first.
const CRASH = fileURLToPath(new URL('../dist/lab/crash/main.js', import.meta.url));

it('whoever is killed, each event is got once and in order, and comes by webhook', {
  tags: 'lab',
  timeout: 240_000,
}, async () => {
  const { status, lines } = await new Promise<{ status: unknown; lines: string[] }>((resolve) => {
    execFile(process.execPath, [CRASH, 'feed', '--seconds', '5', '--seed', '3'], (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? stderr) : 0, lines: stdout.trimEnd().split('\n') });
    });
  });
  const result = JSON.parse(lines.at(-1) ?? '');
  expect(lines.slice(1, -1)).toEqual([]);
  expect(result.found).toBe(0);
  expect(Math.min(...Object.values<number>({ ...result.kills, atPoint: 1 }))).toBeGreaterThan(0);
  expect(result.committed).toBeGreaterThanOrEqual(result.answered);
  expect([result.got_waiting, result.got_polling, result.webhooks]).toEqual(Array(3).fill(result.committed));
  expect(status).toBe(0);
});

const event = (position: number, messageId: string, version: number): Got => {
  return { municipality: '22222222', position, id: `e${position}`, messageId, version, status: 'pending' };
};
const EVENTS = [event(1, 'a', 1), event(2, 'b', 1), event(3, 'a', 2), event(4, 'a', 3)];
const RECEIVED = EVENTS.map((each) => ({ ...each, webhookId: each.id, isSigned: true }));
const GOOD: Recorded = {
  committed: EVENTS,
  messages: [
    { id: 'a', version: 3 },
    { id: 'b', version: 1 },
  ],
  answered: [
    { id: 'a', version: 1, status: 'pending' },
    { id: 'b', version: 1, status: 'pending' },
  ],
  consumers: { one: EVENTS, other: EVENTS },
  received: [...RECEIVED, ...RECEIVED.slice(1, 2)], // a webhook may come again
};
const [first, second, third, fourth] = EVENTS as [Got, Got, Got, Got];
const got = (...events: Got[]): Partial<Recorded> => ({ consumers: { one: EVENTS, other: events } });
const received = (change: Partial<Recorded['received'][number]>): Partial<Recorded> => {
  return { received: [...RECEIVED, { ...RECEIVED[0], ...change } as Recorded['received'][number]] };
};

it('the comparison finds nothing where nothing is missing', () => {
  expect(compareFeed(GOOD)).toEqual([]);
});

it.each<[string, Partial<Recorded>, string]>([
  ['an event that the feed left out, or had too late', got(first, third, fourth), 'lost'],
  ['the last event, not got', got(first, second, third), 'lost'],
  ['two events that were swapped', got(first, third, second, fourth), 'disordered'],
  ['an event that was got again', got(first, second, second, third, fourth), 'twice'],
  ['one that was got as another', got(first, { ...second, version: 9 }, third, fourth), 'invented'],
  ['one that was never committed', got(...EVENTS, event(5, 'c', 1)), 'invented'],
  ['a webhook that was not sent', { received: RECEIVED.slice(1) }, 'lost'],
  ['a webhook that only came without a signature', received({ isSigned: false }), 'unsigned'],
  ['a webhook with the id of another', received({ webhookId: 'e2' }), 'invented'],
  ['a webhook with another version', received({ version: 9 }), 'invented'],
  ['an answer to what was not committed', { answered: [{ id: 'b', version: 2, status: 'pending' }] }, 'lost'],
  ['an answer with another status', { answered: [{ id: 'b', version: 1, status: 'deleted' }] }, 'lost'],
  ['a change without an event', { messages: [{ id: 'b', version: 2 }] }, 'lost'],
  ['an event without a position', { committed: [first, second, third, { ...fourth, position: null }] }, 'disordered'],
  ['a gap between positions', { committed: [first, second, fourth] }, 'disordered'],
  ['changes of a message in another order', { committed: [first, second, { ...third, version: 3 }] }, 'disordered'],
])('the comparison finds %s', (_, broken, verdict) => {
  expect(compareFeed({ ...GOOD, ...broken }).map((finding) => finding.verdict)).toContain(verdict);
});

it('who was killed while it saved goes on after the last whole line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'indbakke-lines-'));
  const file = join(folder, 'got.jsonl');
  writeFileSync(file, `${JSON.stringify(first)}\n{"position":2,"id":"e`);
  expect(saved(file)).toEqual([first]);
  mend(file);
  save(file, [second, third]);
  expect(saved(file)).toEqual([first, second, third]);
  rmSync(folder, { recursive: true });
});
