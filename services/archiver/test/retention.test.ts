import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { CommonConfig, DAY, readConfig } from '@indbakke/shared/config';
import { sweepContentRemovals } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CONTACT_POINT,
  ODENSKOV,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { textDocument } from '../../../infra/src/testkit/write-memo.js';
import type { MunicipalityAnswer, RetentionAnswer } from '../../../shared/src/api/index.js';
import {
  auditOf,
  change,
  deliverMemo,
  expectProblem,
  list,
  read,
  SETUP,
  SYSTEM,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { createMakePackageHandler } from '../src/access-packages/make-package.js';
import { removeDueContent } from '../src/retention/content.js';
import { startDoomedArchiver } from './support/archiver-process.js';

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  await upsertCase(stack, 'K-1');
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

beforeEach(() => keep({ removeContentAfterDays: null, flagRejectedAfterDays: null }));

/** What the municipality sets, past its API. */
async function keep(days: { removeContentAfterDays?: number | null; flagRejectedAfterDays?: number | null }) {
  await stack.sql(
    `UPDATE municipalities SET remove_content_after_days = $2, flag_rejected_after_days = $3 WHERE cvr = $1`,
    [ODENSKOV, days.removeContentAfterDays ?? null, days.flagRejectedAfterDays ?? null],
  );
}

const age = (id: string, days: number) =>
  stack.sql(`UPDATE messages SET handled_at = now() - make_interval(days => $2, mins => 1) WHERE id = $1`, [id, days]);

async function journalized(days: number, memo: object = {}): Promise<string> {
  const id = await deliverMemo(stack, memo);
  await change(stack, 'POST', `${id}/journalization`, { version: 1, body: { caseIds: ['K-1'], reference: 'J-17' } });
  await age(id, days);
  return id;
}

async function rejected(days: number): Promise<string> {
  const id = await deliverMemo(stack);
  await change(stack, 'POST', `${id}/rejection`, {
    version: 1,
    body: { reason: 'unwanted', explanation: 'Ikke til os' },
  });
  await age(id, days);
  return id;
}

const remove = () => removeDueContent(parts, new Date());
const hold = (id: string, isHeld = true) =>
  stack.sql('UPDATE messages SET legal_hold = $2 WHERE id = $1', [id, isHeld]);

async function blobNameOf(id: string): Promise<string> {
  const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
  return row?.blob_name as string;
}

async function blobs(): Promise<string[]> {
  const names = await readdir(stack.contentFolder, { recursive: true });
  return names.map((name) => name.split('/').at(-1) as string).filter((name) => name.length === 32);
}

async function dryRun(query = '', as = SETUP): Promise<RetentionAnswer> {
  const response = await stack.call('GET', `/retention${query}`, { as });
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as RetentionAnswer;
}

const idsOf = (items: readonly { id: string }[]) => items.map(({ id }) => id);

describe('the settings', () => {
  const settings = async () =>
    (await (await stack.call('GET', '/municipality', { as: SETUP })).json()) as MunicipalityAnswer;
  const put = async (change: object) => {
    const { cvr: _, version, warnings: __, isTraining: ___, ...present } = await settings();
    return stack.call('PUT', '/municipality', { as: SETUP, version, body: { ...present, ...change } });
  };

  it('are off until they are set, and have a history', async () => {
    expect(await settings()).toMatchObject({ removeContentAfterDays: null, flagRejectedAfterDays: null });
    expect((await put({ removeContentAfterDays: 365, flagRejectedAfterDays: 90 })).status).toBe(200);
    expect(await settings()).toMatchObject({ removeContentAfterDays: 365, flagRejectedAfterDays: 90 });
    const response = await stack.call('GET', '/municipality/changes', { as: SETUP });
    const changes = (await response.json()) as { items: object[] };
    expect(changes.items[0]).toMatchObject({
      by: 'setup-1',
      before: { removeContentAfterDays: null, flagRejectedAfterDays: null },
      after: { removeContentAfterDays: 365, flagRejectedAfterDays: 90 },
    });
  });

  it.each([
    [{ removeContentAfterDays: 0 }, 'body.removeContentAfterDays'],
    [{ removeContentAfterDays: 1.5 }, 'body.removeContentAfterDays'],
    [{ removeContentAfterDays: '30' }, 'body.removeContentAfterDays'],
    [{ flagRejectedAfterDays: -1 }, 'body.flagRejectedAfterDays'],
    [{ flagRejectedAfterDays: 36_501 }, 'body.flagRejectedAfterDays'],
  ])('%o is refused', async (change, path) => {
    expect(await expectProblem(await put(change), 400, 'bad-request')).toMatchObject({ path });
  });
});

describe('of a journalized message whose time is over', () => {
  const WORDS = [
    'Emneordet',
    '4404049999',
    'Afsendernavnet',
    'Barnenavnet',
    'Kontaktordet',
    'Dokumentnavnet',
    'Filnavnet',
  ];
  let id: string;
  let fileId: string;
  let blobName: string;
  let extractId: string;
  let packageId: string;

  /** Every row of every table, as text. */
  async function everything(): Promise<string> {
    const tables = await stack.sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
    );
    const texts = await Promise.all(
      tables.map(({ name }) => stack.sql<{ text: string }>(`SELECT t::text AS text FROM ${name} t`)),
    );
    return texts
      .flat()
      .map(({ text }) => text)
      .join('\n');
  }
  const wordsIn = (text: string) =>
    WORDS.filter((word) => text.includes(word) || text.includes(Buffer.from(word).toString('hex')));

  beforeAll(async () => {
    await keep({ removeContentAfterDays: 30 });
    id = await journalized(30, {
      subject: 'Emneordet',
      sender: { id: '4404049999', idType: 'CPR', name: 'Afsendernavnet' },
      concerning: { cpr: '4303039999', name: 'Barnenavnet' },
      contactPointId: CONTACT_POINT,
      contactInfo: [{ label: 'Skole', value: 'Kontaktordet' }],
      documents: [{ label: 'Dokumentnavnet', ...textDocument('Indholdsordet', 'Filnavnet.txt') }],
    });
    blobName = await blobNameOf(id);
    fileId = (await read(stack, id)).documents[0]?.files[0]?.id as string;
    [extractId, packageId] = [randomUUID(), randomUUID()];
    await makeFilesOf(id, extractId, packageId);
    expect(wordsIn(await everything())).toEqual(WORDS);
    expect(await remove()).toBe(1);
  });

  /** A file of an extract and an access package that have the message. */
  async function makeFilesOf(message: string, file: string, made: string) {
    await stack.sql(
      `INSERT INTO extract_owners (municipality, owner_kind, owner, roles, teams, seen_at) VALUES ($1, 'user', 'x', '{}', '{}', now())`,
      [ODENSKOV],
    );
    await stack.sql(
      `INSERT INTO extracts (id, municipality, owner_kind, owner, container, content_size, key_id, wrapped_key, every, at_time, keep_days,
         created_at, next_run_at, next_enqueue_at)
       VALUES ($1, $2, 'user', 'x', '', 0, 'k', '', 'day', '07:00', 1, now(), now() + interval '9 days', now() + interval '9 days')`,
      [file, ODENSKOV],
    );
    await stack.sql(
      `INSERT INTO extract_files (id, extract_id, municipality, due_at, made_at, expires_at, row_count, is_truncated, roles, teams,
         content_size, sha256, blob_name, key_id, wrapped_key)
       VALUES ($1, $1, $2, now(), now(), now() + interval '9 days', 1, false, '{}', '{}', 1, '', 'extract-blob', 'k', '')`,
      [file, ODENSKOV],
    );
    await stack.sql('INSERT INTO extract_file_messages (file_id, message_id, municipality) VALUES ($1, $2, $3)', [
      file,
      message,
      ODENSKOV,
    ]);
    await stack.sql(
      `INSERT INTO access_packages (id, municipality, owner_kind, owner, citizen, request, request_size, request_key_id,
         request_wrapped_key, status, requested_at, expires_at, sha256, blob_name, key_id, wrapped_key, next_enqueue_at)
       VALUES ($1, $2, 'user', 'x', '', '', 0, 'k', '', 'made', now(), now() + interval '9 days', '', 'package-blob', 'k', '', now())`,
      [made, ODENSKOV],
    );
    await stack.sql('INSERT INTO access_package_messages (package_id, message_id, municipality) VALUES ($1, $2, $3)', [
      made,
      message,
      ODENSKOV,
    ]);
  }

  it('nothing personal stays in any table, and no content', async () => {
    expect(wordsIn(await everything())).toEqual([]);
    expect(await blobs()).not.toContain(blobName);
    expect(await stack.sql('SELECT FROM content_removals WHERE blob_name = $1', [blobName])).toEqual([]);
  });

  it('it stays that it was here, when, and on which case', async () => {
    const message = await read(stack, id);
    expect(message).toMatchObject({
      status: 'journalized',
      version: 3,
      contentRemovedAt: expect.any(String),
      subject: '',
      sender: { id: '', name: '' },
      concerning: null,
      contactPoint: { id: CONTACT_POINT },
      contactInfo: [],
      documents: [],
      contentSize: 0,
      journalizations: [{ caseId: 'K-1', reference: 'J-17' }],
    });
    expect(message.history.map(({ action, by }) => `${action} by ${by}`)).toEqual([
      'accepted by serviceplatformen',
      'journalized by caseworker-1',
      'content-removed by indbakke',
    ]);
    expect(idsOf((await list(stack, '?status=journalized&case=K-1')).items)).toContain(id);
    expect((await auditOf(stack, { messageId: id })).find(({ action }) => action === 'content-removed')).toMatchObject({
      actor: 'indbakke',
      details: { days: 30 },
    });
    const [event] = await stack.sql('SELECT type, status FROM events WHERE message_id = $1 AND version = 3', [id]);
    expect(event).toEqual({ type: 'content-removed', status: 'journalized' });
  });

  it('files, text and zip are answered that they are gone', async () => {
    for (const path of [`/files/${fileId}`, '/text', '/zip', '/zip?include=cover,original']) {
      const problem = await expectProblem(
        await stack.call('GET', `/incoming-documents/${id}${path}`),
        410,
        'content-gone',
      );
      expect(problem.detail).toContain('after the time that the municipality has set');
    }
  });

  it('files that were made of it are removed with it', async () => {
    expect(await stack.sql('SELECT FROM extract_files WHERE id = $1', [extractId])).toEqual([]);
    expect(await stack.sql('SELECT FROM access_packages WHERE id = $1', [packageId])).toEqual([]);
    const removals = await stack.sql<{ name: string }>(`SELECT blob_name AS name FROM content_removals ORDER BY 1`);
    expect(removals.map(({ name }) => name)).toEqual(expect.arrayContaining(['extract-blob', 'package-blob']));
  });

  it('the journalization is not taken back, and nobody is told that it could be', async () => {
    const { allowed, version } = await read(stack, id);
    expect(allowed).not.toContain('taken-back');
    const path = `/incoming-documents/${id}/journalization`;
    await expectProblem(
      await stack.call('DELETE', path, { version, body: { reason: 'wrong-case' } }),
      410,
      'content-gone',
    );
    expect(await read(stack, id)).toMatchObject({ status: 'journalized', version });
  });

  it('an access package of the sender is made, and names it with its times alone', async () => {
    const as = { user: 'aktindsigt-1', roles: ['Indbakke.Aktindsigt'] };
    const created = await stack.call('POST', '/access-packages', { as, body: { citizen: '4404049999' } });
    const { id: made } = (await created.json()) as { id: string };
    const [job] = await stack.sql<{ municipality: string; run: number }>(
      `UPDATE access_packages SET run = run + 1, next_enqueue_at = now() + interval '1 day' WHERE id = $1 RETURNING municipality, run`,
      [made],
    );
    const make = createMakePackageHandler(parts, { SMALL_CONTENT_BYTES: 262_144 });
    const data = { packageId: made, ...(job as NonNullable<typeof job>) };
    await make(data, { attempt: 1, signal: new AbortController().signal });
    const [row] = await stack.sql('SELECT status, message_count FROM access_packages WHERE id = $1', [made]);
    expect(row).toEqual({ status: 'made', message_count: 0 });
  });

  it('no letter can be set up as its answer', async () => {
    const body = { messageUUID: randomUUID(), caseId: 'K-1', recipientId: '4404049999', answers: id };
    await expectProblem(await stack.call('POST', '/replies/setup', { as: SYSTEM, body }), 410, 'content-gone');
  });

  it('it is not removed again', async () => {
    expect(await remove()).toBe(0);
  });
});

// Each status, by how it is come to; `deleted` has nothing left to remove.
const WAYS: Record<string, (id: string) => Promise<unknown>> = {
  pending: async () => {},
  held: (id) => stack.sql(`UPDATE messages SET status = 'held', held_cause = 'not-live' WHERE id = $1`, [id]),
  journalized: (id) => change(stack, 'POST', `${id}/journalization`, { version: 1, body: { caseIds: ['K-1'] } }),
  'taken back': async (id) => {
    await change(stack, 'POST', `${id}/journalization`, { version: 1, body: { caseIds: ['K-1'] } });
    await change(stack, 'DELETE', `${id}/journalization`, { version: 2, body: { reason: 'wrong-case' } });
  },
  rejected: (id) =>
    change(stack, 'POST', `${id}/rejection`, { version: 1, body: { reason: 'unwanted', explanation: 'Ikke til os' } }),
  'rejected when held': async (id) => {
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'not-live' WHERE id = $1`, [id]);
    await stack.sql(
      `UPDATE messages SET status = 'rejected', status_before = 'held', handled_at = now(), rejection_reason = 'other' WHERE id = $1`,
      [id],
    );
  },
};

it('only what is journalized, old enough and under no legal hold is removed, and what is flagged is rejected: in every status', async () => {
  const made: { id: string; way: string; isHeld: boolean; days: number }[] = [];
  for (const way of Object.keys(WAYS)) {
    for (const isHeld of [false, true]) {
      for (const days of [0, 29, 30, 4_000]) {
        const id = await deliverMemo(stack);
        await WAYS[way]?.(id);
        // All its times, so that no other one is counted from.
        await stack.sql(
          `UPDATE messages SET legal_hold = $2, received_at = received_at - $3::interval, letter_at = letter_at - $3::interval,
             status_at = status_at - $3::interval, handled_at = handled_at - $3::interval WHERE id = $1`,
          [id, isHeld, `${days} days 1 minute`],
        );
        made.push({ id, way, isHeld, days });
      }
    }
  }
  await keep({ removeContentAfterDays: 30, flagRejectedAfterDays: 30 });
  const ofOurs = (ids: readonly string[]) => made.filter(({ id }) => ids.includes(id)).map(({ id }) => id);
  const due = made.filter(({ way, isHeld, days }) => way === 'journalized' && !isHeld && days >= 30);
  const flagged = made.filter(({ way, isHeld, days }) => way.startsWith('rejected') && !isHeld && days >= 30);
  expect([due.length, flagged.length]).toEqual([2, 4]);

  const shown = await dryRun('?limit=10000');
  expect(ofOurs(idsOf(shown.contentRemovals.items))).toEqual(ofOurs(idsOf(due)));
  expect(ofOurs(idsOf(shown.flagged.items))).toEqual(ofOurs(idsOf(flagged)));
  expect(shown.contentRemovals.underLegalHold).toBe(2);

  await remove();
  const rows = await stack.sql<{ id: string }>(
    `SELECT id FROM messages m WHERE NOT EXISTS (SELECT FROM message_keys WHERE message_id = m.id)
       OR NOT EXISTS (SELECT FROM message_details WHERE message_id = m.id) OR blob_name IS NULL`,
  );
  expect(ofOurs(idsOf(rows)).toSorted()).toEqual(idsOf(due).toSorted());

  // A person must delete what is flagged: nothing but the journalized ones has changed.
  const changed = await stack.sql<{ id: string }>(`SELECT message_id AS id FROM events WHERE type = 'content-removed'`);
  expect(ofOurs(idsOf(changed)).toSorted()).toEqual(idsOf(due).toSorted());
});

describe('removing', () => {
  it('is off where nothing is set, and of another municipality', async () => {
    const id = await journalized(10_000);
    expect(await remove()).toBe(0);
    await stack.sql('UPDATE municipalities SET remove_content_after_days = 1 WHERE cvr = $1', [VESTERSUND]);
    expect(await remove()).toBe(0);
    await stack.sql('UPDATE municipalities SET remove_content_after_days = NULL WHERE cvr = $1', [VESTERSUND]);
    expect((await read(stack, id)).contentRemovedAt).toBeNull();
    await keep({ removeContentAfterDays: 30 });
    expect(await remove()).toBe(1);
  });

  it('at the same time by several processes happens once each', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await journalized(40));
    await keep({ removeContentAfterDays: 30 });
    const counts = await Promise.all([remove(), remove(), remove()]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(5);
    for (const id of ids) {
      expect(
        await stack.sql(`SELECT FROM events WHERE message_id = $1 AND type = 'content-removed'`, [id]),
      ).toHaveLength(1);
    }
  });

  it('leaves what was taken back or put under a legal hold after it was found', async () => {
    const [back, held] = [await journalized(40), await journalized(40)];
    await keep({ removeContentAfterDays: 30 });
    const withChanges: Parts = {
      ...parts,
      store: {
        ...parts.store,
        sweep: (async (text: string, values?: unknown[]) => {
          const found = await parts.store.sweep(text, values);
          await change(stack, 'DELETE', `${back}/journalization`, { version: 2, body: { reason: 'wrong-case' } });
          await hold(held);
          return found;
        }) as Parts['store']['sweep'],
      },
    };
    expect(await removeDueContent(withChanges, new Date())).toBe(0);
    for (const id of [back, held]) expect((await read(stack, id)).documents).toHaveLength(1);
    await hold(held, false);
    expect(await remove()).toBe(1);
  });

  it('of one message that fails does not keep the others', async () => {
    const ids = [await journalized(40), await journalized(41)];
    await keep({ removeContentAfterDays: 30 });
    let calls = 0;
    const failsOnce = {
      ...parts,
      store: {
        ...parts.store,
        withTenantConnection: ((...args: Parameters<Parts['store']['withTenantConnection']>) => {
          calls += 1;
          if (calls === 1) throw new Error('The first one fails.');
          return parts.store.withTenantConnection(...args);
        }) as Parts['store']['withTenantConnection'],
      },
    };
    await expect(removeDueContent(failsOnce, new Date())).rejects.toThrow('The first one fails.');
    const left = await stack.sql('SELECT FROM messages WHERE id = ANY ($1) AND content_removed_at IS NULL', [ids]);
    expect(left).toHaveLength(1);
    expect(await remove()).toBe(1);
  });

  it('is finished by the next process when one is killed in the middle', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push(await journalized(40 + n));
    const names = await Promise.all(ids.map(blobNameOf));
    await keep({ removeContentAfterDays: 30 });
    const doomed = startDoomedArchiver(stack.env, 'retention-committed', 2);
    try {
      expect(await doomed.died).toBe('SIGKILL');
    } finally {
      doomed.end();
    }
    const gone = async () => {
      const rows = await stack.sql(`SELECT FROM messages WHERE id = ANY ($1) AND content_removed_at IS NOT NULL`, [
        ids,
      ]);
      return rows.length;
    };
    expect(await gone()).toBe(2);
    expect((await blobs()).filter((name) => names.includes(name))).toHaveLength(3); // of the second the key is gone, and not yet the content

    expect(await remove()).toBe(2);
    await stack.sql(`UPDATE content_removals SET requested_at = now() - interval '1 minute'`);
    await sweepContentRemovals(parts);
    expect(await gone()).toBe(4);
    expect((await blobs()).filter((name) => names.includes(name))).toEqual([]);
  });
});

describe('the dry run', () => {
  it('shows what other days would do, and changes nothing', async () => {
    const [older, younger] = [await journalized(400), await journalized(100)];
    const old = await rejected(200);
    expect(await dryRun()).toMatchObject({
      contentRemovals: { afterDays: null, count: 0, items: [] },
      flagged: { afterDays: null, count: 0, items: [] },
    });
    const both = await dryRun('?removeContentAfterDays=90&flagRejectedAfterDays=180');
    expect(both.contentRemovals).toMatchObject({ afterDays: 90, underLegalHold: expect.any(Number) });
    expect(idsOf(both.contentRemovals.items).filter((id) => [older, younger].includes(id))).toEqual([older, younger]);
    expect(idsOf(both.flagged.items)).toContain(old);
    const item = both.contentRemovals.items.find(({ id }) => id === older);
    expect(Date.parse(item?.dueAt as string) - Date.parse(item?.journalizedAt as string)).toBe(90 * DAY);

    const few = await dryRun('?removeContentAfterDays=90&limit=1');
    expect(few.contentRemovals.items).toHaveLength(1);
    expect(few.contentRemovals.count).toBe(both.contentRemovals.count);
    expect(few.flagged.count).toBe(0);
    expect(idsOf((await dryRun('?removeContentAfterDays=365')).contentRemovals.items)).not.toContain(younger);
    expect((await read(stack, older)).contentRemovedAt).toBeNull();
  });

  it('is for Indbakke.Opsætning, of the own municipality only', async () => {
    await expectProblem(await stack.call('GET', '/retention'), 403, 'role-missing');
    const id = await journalized(900);
    const other = await dryRun('?removeContentAfterDays=1&limit=10000', { ...SETUP, municipality: VESTERSUND });
    expect(idsOf(other.contentRemovals.items)).not.toContain(id);
  });

  it.each(['removeContentAfterDays=0', 'flagRejectedAfterDays=x', 'limit=10001', 'days=3'])(
    'refuses %s',
    async (query) => {
      await expectProblem(await stack.call('GET', `/retention?${query}`, { as: SETUP }), 400, 'bad-request');
    },
  );
});

describe('a flagged message', () => {
  it('is found by a filter and counted, until it is under a legal hold or deleted', async () => {
    const [old, young] = [await rejected(60), await rejected(3)];
    const flagged = async () => idsOf((await list(stack, '?status=rejected&flagged=true&limit=200')).items);
    const count = async (status = 'rejected') => {
      const response = await stack.call('GET', `/incoming-documents/summary?status=${status}`);
      return ((await response.json()) as { flagged: number }).flagged;
    };
    expect([await flagged(), await count()]).toEqual([[], 0]);
    await keep({ flagRejectedAfterDays: 50 });
    const found = await flagged();
    expect(found).toContain(old);
    expect(found).not.toContain(young);
    expect([await count(), await count('pending')]).toEqual([found.length, found.length]);
    const others = idsOf((await list(stack, '?status=rejected&flagged=false&limit=200')).items);
    expect(others).toContain(young);
    expect(others).not.toContain(old);
    const search = { body: { status: ['rejected'], flagged: true, limit: 200 } };
    const response = await stack.call('POST', '/incoming-documents/search', search);
    const searched = (await response.json()) as { items: { id: string }[] };
    expect(idsOf(searched.items)).toEqual(found);
    await hold(old);
    expect(await flagged()).not.toContain(old);
  });

  it('is none whose deletion delay runs: it goes by itself, and only who may cancel that knows of it', async () => {
    const id = await rejected(60);
    const inDryRun = async () => {
      const { flagged } = await dryRun('?flagRejectedAfterDays=50&limit=1000');
      return { count: flagged.count, has: idsOf(flagged.items).includes(id) };
    };
    const isFlagged = async () =>
      idsOf((await list(stack, '?status=rejected&flagged=true&limit=200')).items).includes(id);
    await keep({ flagRejectedAfterDays: 50 });
    const before = await inDryRun();
    expect([before.has, await isFlagged()]).toEqual([true, true]);
    await stack.sql(
      `UPDATE messages SET deletion_requested_at = now(), deletion_requested_by = 'anna', deletion_due_at = now() + interval '3 days'
       WHERE id = $1`,
      [id],
    );
    expect(await inDryRun()).toEqual({ count: before.count - 1, has: false });
    expect(await isFlagged()).toBe(false);
  });
});
