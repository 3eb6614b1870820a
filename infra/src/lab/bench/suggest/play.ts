import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { registerMunicipality } from '../../../local/register-municipality.js';
import { issueToken } from '../../../testkit/set-up.js';
import { Connection } from '../client.js';
import { REST_PATH } from '../memos.js';
import type { Place } from '../place.js';
import type { Shown } from './judge.js';
import type { Message, Right, Scenario } from './stories.js';
import { CASEWORKERS, LEADER, MUNICIPALITIES, type Registration, SEES_ALL } from './world.js';

const CONNECTIONS = 16;
const SUGGESTED_WITHIN_MS = 300_000;
const POLL_MS = 100;
const PAGE = 200; // the largest

const READ = 'IndkomneDokumenter.Læs';
const ROLES: readonly (readonly [user: string, roles: readonly string[]])[] = [
  ...[SEES_ALL, LEADER].map((user) => [user, [READ, 'IndkomneDokumenter.SeAlle']] as const),
  ...CASEWORKERS.map((user) => [user, [READ]] as const),
];

/** Tells a new stack what the cores tell and delivers the messages. @returns what each of them shows, by its UUID */
export async function play(place: Place, { registrations, messages }: Scenario): Promise<ReadonlyMap<string, Shown>> {
  const { ownerUrl } = place.database;
  for (const cvr of MUNICIPALITIES.slice(1)) {
    await registerMunicipality(ownerUrl, { cvr, name: `Kommune ${cvr}`, contactPoints: [] });
  }
  const { url } = await place.start('ours/stack', { env: { LOG_LEVEL: 'silent' } });
  const cores = new Map<string, string>();
  for (const cvr of MUNICIPALITIES) {
    cores.set(cvr, await issueToken(place.paths, { municipality: cvr, user: 'dubu', system: true }));
  }
  for (const stage of registrations) {
    await each(url, stage, (connection, registration) => register(connection, cores, registration));
  }
  await each(url, messages, async (connection, { xml, after }) => {
    await connection.post(REST_PATH, [Buffer.from(xml)]);
    for (const registration of after) await register(connection, cores, registration);
  });
  await untilSuggested(await place.connect());

  const shown = new Map<string, Map<string, Right | null>>(messages.map(({ uuid }) => [uuid, new Map()]));
  for (const municipality of MUNICIPALITIES) {
    for (const [user, roles] of ROLES) {
      const token = await issueToken(place.paths, { municipality, user, roles });
      for await (const { externalId, suggestion } of listAll(url, token)) shown.get(externalId)?.set(user, suggestion);
    }
  }
  return shown;
}

/** Works off all items, on some connections. */
async function each<T>(url: string, items: readonly T[], work: (connection: Connection, item: T) => Promise<void>) {
  const left = items.values();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await Connection.open(url);
      try {
        for (const item of left) await work(connection, item);
      } finally {
        connection.close();
      }
    }),
  );
}

async function register(
  connection: Connection,
  cores: ReadonlyMap<string, string>,
  { municipality, path, body }: Registration,
): Promise<void> {
  const headers = `Authorization: Bearer ${cores.get(municipality)}\r\n`;
  const answer = await connection.call('PUT', `/api/v1${path}`, headers, JSON.stringify(body));
  if (answer.status !== 204) throw new Error(`A registration answered ${answer.status}: ${answer.body.slice(0, 300)}`);
}

async function untilSuggested(client: pg.Client): Promise<void> {
  for (const end = Date.now() + SUGGESTED_WITHIN_MS; Date.now() < end; await pause(POLL_MS)) {
    const { rowCount } = await client.query('SELECT FROM messages WHERE suggestion_run_at IS NULL LIMIT 1');
    if (rowCount === 0) return;
  }
  throw new Error('After five minutes some messages still have no suggestion run.');
}

interface Page {
  readonly items: readonly { readonly externalId: string; readonly suggestion: Right | null }[];
  readonly nextCursor: string | null;
}

/** Every message that this user sees. */
async function* listAll(url: string, token: string): AsyncGenerator<Page['items'][number]> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(cursor && { cursor }) });
    const answer = await fetch(`${url}/api/v1/incoming-documents?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) throw new Error(`The list answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    const page = (await answer.json()) as Page;
    yield* page.items;
    cursor = page.nextCursor;
  }
}

/** For whoever mends it: the message, what it should show and what it shows. */
export function difference({ kind, xml, right, seenBy }: Message, shown: Shown): string {
  const entries = xml.match(/<m:(Sender|ReplyData)>.*/g)?.join('\n  ');
  return `${kind}\n  ${entries}\n  right  ${JSON.stringify([right, [...seenBy]])}\n  shown  ${JSON.stringify([...shown])}`;
}
