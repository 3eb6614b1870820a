import { randomUUID } from 'node:crypto';
import { digestOfParty, type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import { openStore, type Store } from '@indbakke/shared/store';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askUntil, DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import {
  change,
  deliverMemo,
  deliverReply,
  registerSentMessage,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { sweepForgottenSubjects, sweepUnhashedMessages } from '../src/audit/subjects.js';

let stack: TestStack;
let store: Store;
let keys: KeyRing;

beforeAll(async () => {
  stack = await startTestStack();
  store = openStore({ url: stack.serviceUrl, connections: 2, name: 'test' });
  keys = await loadKeyRing(stack.env.KEY_FILE as string);
});

afterAll(async () => {
  await store.close();
  await stack.close();
});

const [SENDER, CHILD, MOTHER, FATHER] = ['4101019999', '4202029999', '4303039999', '4404049999'];
const ALL = [SENDER, CHILD, MOTHER, FATHER] as const;

/** Whom and which case a message is about: the numbers of ALL, and the ids of cases. */
async function subjectsOf(id: string): Promise<string[]> {
  const rows = await stack.sql<{ kind: string; key: string }>(
    'SELECT kind, key FROM message_subjects WHERE message_id = $1',
    [id],
  );
  const numberOf = new Map(
    ALL.map((number) => [digestOfParty(keys, number as string).toString('hex'), number as string]),
  );
  return rows.map(({ kind, key }) => (kind === 'case' ? key : (numberOf.get(key) ?? key))).toSorted();
}

const newCase = async (parties: string[] = []) => {
  const caseId = `K-${randomUUID()}`;
  await upsertCase(stack, caseId, { parties });
  return caseId;
};

const journalize = (id: string, caseIds: string[]) =>
  change(stack, 'POST', `${id}/journalization`, { as: SETUP, version: 1, body: { caseIds } });

const suggestedFor = async (caseId: string) => {
  const uuid = randomUUID();
  await registerSentMessage(stack, uuid, { caseId });
  return deliverReply(stack, [{ messageUUID: uuid }]);
};

describe('a message is about', () => {
  it('its sender and its concerned person, from its receipt on', async () => {
    const concerning = { cpr: '420202-9999', name: 'Emma Testesen' };
    expect(await subjectsOf(await deliverMemo(stack, { concerning }))).toEqual([SENDER, CHILD]);
  });

  it('one person once, who writes about himself', async () => {
    const concerning = { cpr: '410101-9999', name: 'Test Testesen' };
    expect(await subjectsOf(await deliverMemo(stack, { concerning }))).toEqual([SENDER]);
  });

  it('the case that it is suggested for, and its parties', async () => {
    const caseId = await newCase([CHILD, MOTHER]);
    expect(await subjectsOf(await suggestedFor(caseId))).toEqual([SENDER, CHILD, MOTHER, caseId]);
  });

  it('the cases that it is journalized on, and their parties', async () => {
    const cases = [await newCase([CHILD, MOTHER]), await newCase([CHILD, FATHER])];
    const id = await deliverMemo(stack);
    await journalize(id, cases);
    expect(await subjectsOf(id)).toEqual([SENDER, CHILD, MOTHER, FATHER, ...cases].toSorted());
  });

  it.each(['suggested', 'journalized', 'rejected after it was suggested', 'deleted'])(
    'the parties of its case that are registered later, when it is %s',
    async (state) => {
      const caseId = await newCase();
      const id = state === 'journalized' ? await deliverMemo(stack) : await suggestedFor(caseId);
      if (state === 'journalized') await journalize(id, [caseId]);
      else if (state !== 'suggested') {
        await change(stack, 'POST', `${id}/rejection`, {
          as: SETUP,
          version: 2,
          body: { reason: 'unwanted', explanation: 'Ikke til os' },
        });
        if (state === 'deleted')
          await change(stack, 'POST', `${id}/deletion`, { as: SETUP, version: 3, body: DELETION });
      }
      expect(await subjectsOf(id)).toEqual([SENDER, caseId]);
      await upsertCase(stack, caseId, { parties: [CHILD] });
      expect(await subjectsOf(id)).toEqual([SENDER, CHILD, caseId]);
    },
  );

  it('what it was about, after the case lost a party, the journalization was taken back, and it was deleted', async () => {
    const caseId = await newCase([CHILD]);
    const id = await deliverMemo(stack);
    await journalize(id, [caseId]);
    await upsertCase(stack, caseId, { parties: [] });
    await change(stack, 'DELETE', `${id}/journalization`, { as: SETUP, version: 2, body: { reason: 'wrong-case' } });
    await change(stack, 'POST', `${id}/rejection`, {
      as: SETUP,
      version: 3,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    await change(stack, 'POST', `${id}/deletion`, { as: SETUP, version: 4, body: DELETION });
    expect(await subjectsOf(id)).toEqual([SENDER, CHILD, caseId]);
  });

  it('the parties that are registered while it is journalized', async () => {
    const caseId = await newCase();
    const id = await deliverMemo(stack);
    // Both wait for this: the journalization to lock the case, or the registration.
    const blocker = new pg.Client({ connectionString: stack.ownerUrl });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${ODENSKOV} ${caseId}`]);
    const both = [journalize(id, [caseId]), upsertCase(stack, caseId, { parties: [CHILD] })];
    await askUntil(
      () =>
        stack.sql(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        ),
      (waiting) => waiting.length === 2,
    );
    await blocker.query('COMMIT');
    await blocker.end();
    await Promise.all(both);
    expect(await subjectsOf(id)).toEqual([SENDER, CHILD, caseId]);
  });
});

describe('messages from before the table', () => {
  it('get their sender and concerned person by the sweep, each once, until none is left', async () => {
    const concerning = { cpr: CHILD as string, name: 'Emma Testesen' };
    const ids = [await deliverMemo(stack, { concerning }), await deliverMemo(stack)];
    await stack.sql('DELETE FROM message_subjects WHERE message_id = ANY ($1)', [ids]);
    await stack.sql('INSERT INTO unhashed_messages SELECT unnest($1::uuid[]), $2', [ids, ODENSKOV]);
    await Promise.all([sweepUnhashedMessages({ store, keys }), sweepUnhashedMessages({ store, keys })]);
    expect(await Promise.all(ids.map(subjectsOf))).toEqual([[SENDER, CHILD], [SENDER]]);
    expect(await stack.sql('SELECT FROM unhashed_messages')).toEqual([]);
  });
});

describe('whom a message was about is forgotten', () => {
  it('when it is deleted and the log has no row of it any more, not before', async () => {
    const [kept, logged, gone] = [await deliverMemo(stack), await deliverMemo(stack), await deliverMemo(stack)];
    for (const id of [logged, gone]) {
      await change(stack, 'POST', `${id}/rejection`, {
        as: SETUP,
        version: 1,
        body: { reason: 'unwanted', explanation: 'Ikke til os' },
      });
      await change(stack, 'POST', `${id}/deletion`, { as: SETUP, version: 2, body: DELETION });
    }
    await stack.sql('DELETE FROM audit_events WHERE message_id = ANY ($1)', [[kept, gone]]);
    await sweepForgottenSubjects({ store });
    expect(await Promise.all([kept, logged, gone].map(subjectsOf))).toEqual([[SENDER], [SENDER], []]);
  });
});
