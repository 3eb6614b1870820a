import type { Principal, Role } from '@indbakke/shared/access';
import { type ChangeAnswer, DocumentList, OPERATIONS, type Operation } from '@indbakke/shared/api';
import { requireRole } from '@indbakke/shared/http';
import {
  assign,
  cancelDeletion,
  confirmDeletion,
  deleteMessage,
  journalize,
  liftLegalHold,
  reject,
  reopen,
  sendOn,
  setLegalHold,
  takeBack,
  tellOutcome,
  unassign,
} from '@indbakke/shared/inbox';
import {
  CALLERS_CHANGES,
  type CallersChange,
  type ChangeRequest,
  STATUSES,
  type Status,
} from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, openStore, type Store } from '@indbakke/shared/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { offerHandover, withdrawHandover } from '../../../services/archiver/src/handover/offers.js';
import {
  markConcern,
  recordAssessment,
  recordConfirmation,
  unmarkConcern,
} from '../../../services/journaler/src/inbox/concern.js';
import { release } from '../../../services/journaler/src/inbox/release.js';

// Status × change × role × whose message it is × its marks × municipality: the real change of real rows is made or refused as
// the tables say, and the list says the same. What changes is rolled back, so that each meets the message as it was.

const VERSION = 7;
const [ME, TEAM, MY_CASE] = ['me', 'my-team', 'K-mine'];

/** The status of a message; of a rejected one also the status before. */
const STATES = (Object.keys(STATUSES) as Status[]).flatMap((status): { status: Status; before?: Status }[] =>
  status === 'rejected'
    ? [
        { status, before: 'pending' },
        { status, before: 'held' },
      ]
    : [{ status }],
);

/** Whose messages there are of each status. */
const OWNERS = {
  'nobody’s': {},
  mine: { kind: 'user', id: ME, isMine: true },
  'my team’s': { kind: 'team', id: TEAM, isMine: true },
  'another’s': { kind: 'user', id: 'another' },
  'of a case of mine': { caseId: MY_CASE, isMine: true },
  'of a case of another': { caseId: 'K-others' },
} as const satisfies Record<string, { kind?: 'user' | 'team'; id?: string; caseId?: string; isMine?: true }>;

const SIGHT: readonly (readonly Role[])[] = [
  [],
  ['IndkomneDokumenter.Læs'],
  ['IndkomneDokumenter.SeAlle'],
  ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'],
  ['Indbakke.Opsætning'],
  ['Indbakke.Drift'],
  ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'Indbakke.Opsætning'],
];
const MAY_CHANGE: readonly (readonly Role[])[] = [
  [],
  ['IndkomneDokumenter.Journaliser'],
  ['IndkomneDokumenter.Afvis'],
  ['IndkomneDokumenter.Tildel'],
  ['DigitalPost.Slet'],
  ['IndkomneDokumenter.SendVidere'],
  ['Indbakke.System', 'Revisionslog.Læs'],
  [
    'IndkomneDokumenter.Journaliser',
    'IndkomneDokumenter.Afvis',
    'IndkomneDokumenter.SendVidere',
    'IndkomneDokumenter.Tildel',
    'DigitalPost.Slet',
  ],
];
const CALLERS: readonly Principal[] = [ODENSKOV, VESTERSUND].flatMap((municipality) =>
  SIGHT.flatMap((sight) =>
    MAY_CHANGE.map((may) => ({
      municipality,
      actor: { kind: 'user' as const, id: ME },
      roles: new Set([...sight, ...may]),
      teams: [TEAM],
    })),
  ),
);

const OFF = { isOn: false, letsPass: false };

/** The marks of a possible report of concern. */
const MARKS = {
  none: {},
  marked: { marked: true },
  assessed: { marked: true, assessed: true },
  confirmed: { marked: true, confirmed: true },
  both: { marked: true, assessed: true, confirmed: true },
} as const satisfies Record<string, { marked?: true; assessed?: true; confirmed?: true }>;
type Marks = keyof typeof MARKS;
/** How far the deletion of a message is, and whether it is under a legal hold. */
const DELETIONS = {
  none: {},
  held: { legal_hold: true },
  requested: { deletion_requested_by: 'another' },
  'requested by me': { deletion_requested_by: ME },
  'requested, held': { deletion_requested_by: 'another', legal_hold: true },
  scheduled: { deletion_requested_by: 'another', deletion_due_at: '2099-01-01T00:00:00Z' },
} as const satisfies Record<string, Readonly<Record<string, unknown>>>;
type Deletion = keyof typeof DELETIONS;
const deletionsOf = (status: Status) =>
  (Object.keys(DELETIONS) as Deletion[]).filter(
    (deletion) => status === 'rejected' || deletion === 'none' || (deletion === 'held' && status !== 'deleted'),
  );

/** Of one owner only: what the marks allow does not depend on whose the message is. */
const MARKED_OWNER = 'mine';

interface Message {
  readonly id: string;
  readonly status: Status;
  readonly before?: Status;
  readonly owner: keyof typeof OWNERS;
  readonly marks: Marks;
  readonly deletion: Deletion;
}

/**
 * Who tries to change it. Of another municipality those with every right, and what marks, a legal hold or a request allow does not
 * depend on what else the caller sees.
 */
function callersFor({ marks, deletion }: Message): readonly Principal[] {
  const isPlain = marks === 'none' && (deletion === 'none' || deletion === 'scheduled');
  return CALLERS.filter(({ municipality, roles }) => {
    if (municipality !== ODENSKOV) return MAY_CHANGE.at(-1)?.every((role) => roles.has(role));
    return isPlain || SIGHT.at(-1)?.every((role) => roles.has(role));
  });
}

/** All but the one that makes a message. */
type ChangeOfMessage = Exclude<CallersChange, 'taken-over'>;

const MAKE = {
  released: release,
  journalized: (store, request) => journalize({ store, scanning: OFF }, request, { caseIds: [MY_CASE] }, false),
  'taken-back': (store, request) => takeBack(store, request, { reason: 'other' }),
  rejected: (store, request) => reject(store, request, { reason: 'unwanted', explanation: 'Ikke til os' }),
  reopened: reopen,
  deleted: (store, request) => deleteMessage({ store } as Parts, request, { sentOn: true, senderInformed: true }), // content in the database needs no other part
  assigned: (store, request) => assign(store, request, { assignee: { kind: 'user', id: 'another' } }),
  unassigned: unassign,
  'outcome-told': (store, request) => tellOutcome(store, request, { nothingToDo: true }),
  'distribution-asked': (store, request) =>
    sendOn({ store, scanning: OFF }, request, { recipient: '11111111', kle: '27.24.00' }),
  'concern-marked': markConcern,
  'concern-unmarked': unmarkConcern,
  'concern-assessed': recordAssessment,
  'concern-confirmed': recordConfirmation,
  'deletion-confirmed': (store, request) => confirmDeletion({ store } as Parts, request),
  'deletion-cancelled': (store, request) => cancelDeletion({ store }, request),
  'legal-hold-set': (store, request) => setLegalHold(store, request, { reason: 'Retssag' }),
  'legal-hold-lifted': (store, request) => liftLegalHold(store, request, { reason: 'Slut' }),
  'handover-offered': (store, request) => offerHandover({ store }, request, { days: 1 }),
  'handover-withdrawn': (store, request) => withdrawHandover({ store }, request),
} as const satisfies Record<ChangeOfMessage, (store: Store, request: ChangeRequest) => Promise<ChangeAnswer>>;
const CHANGES = Object.keys(MAKE) as ChangeOfMessage[];

// --- the rules, told once more ---------------------------------------------------------------------------------------

function sees({ municipality, roles }: Principal, { status, before, owner, deletion }: Message): boolean {
  if (municipality !== ODENSKOV || status === 'deleted') return false;
  if (deletion === 'scheduled' && !roles.has('DigitalPost.Slet')) return false;
  const isHeld = status === 'held' || before === 'held';
  if (isHeld) return roles.has('Indbakke.Opsætning') || roles.has('Indbakke.Drift');
  return roles.has('IndkomneDokumenter.Læs') && (roles.has('IndkomneDokumenter.SeAlle') || 'isMine' in OWNERS[owner]);
}

/** `done`, or the code of the refusal. */
function expected(caller: Principal, message: Message, change: CallersChange): string {
  const { from, roles } = CALLERS_CHANGES[change];
  if (!roles.some((role) => caller.roles.has(role))) return 'role-missing';
  if (!sees(caller, message)) return 'not-found';
  const isAssignee = message.owner === 'mine' || message.owner === 'my team’s';
  if (change === 'unassigned' && !isAssignee && !caller.roles.has('IndkomneDokumenter.Tildel')) return 'role-missing';
  if (!(from as readonly Status[]).includes(message.status)) return 'wrong-status';
  if (change === 'unassigned' && !('kind' in OWNERS[message.owner])) return 'wrong-status';
  if (change === 'handover-offered') return 'handover-not-possible'; // the case has not moved
  if (change === 'handover-withdrawn') return 'handover-ended';
  const { marked, assessed, confirmed }: { marked?: true; assessed?: true; confirmed?: true } = MARKS[message.marks];
  const isHeld = message.deletion.includes('held');
  const isAsked = message.deletion.startsWith('requested');
  const hasDeletion = isAsked || message.deletion === 'scheduled';
  if (change === 'legal-hold-set') return isHeld ? 'wrong-legal-hold' : 'done';
  if (change === 'legal-hold-lifted') return isHeld ? 'done' : 'wrong-legal-hold';
  if (change === 'deletion-cancelled') return hasDeletion ? 'done' : 'wrong-deletion';
  if (change === 'distribution-asked') return hasDeletion ? 'wrong-deletion' : 'done';
  if (change === 'deleted') return isHeld ? 'legal-hold' : hasDeletion ? 'wrong-deletion' : 'done';
  if (change === 'deletion-confirmed') {
    if (isHeld) return 'legal-hold';
    if (!isAsked) return 'wrong-deletion';
    return message.deletion === 'requested by me' ? 'second-person-needed' : 'done';
  }
  const isWrong: Partial<Record<CallersChange, boolean | undefined>> = {
    'concern-marked': marked,
    'concern-unmarked': !marked,
    'concern-assessed': !marked || assessed,
    'concern-confirmed': !marked || confirmed,
  };
  return isWrong[change] ? 'wrong-concern' : 'done';
}

function statusAfter(change: CallersChange, { status, before }: Message): Status {
  if (change === 'deletion-confirmed') return 'deleted'; // without a delay
  const { to } = CALLERS_CHANGES[change];
  return to === 'same' ? status : to === 'before' ? (before as Status) : to;
}

// --- what really happens ---------------------------------------------------------------------------------------------

let stack: TestStack;
let store: Store;
const messages: Message[] = [];

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  store = openStore({ url: stack.serviceUrl, connections: 4, name: 'rules' });
  await stack.sql(
    `INSERT INTO cases (municipality, case_id, status, caseworker) VALUES ($1, $2, 'open', $3), ($1, 'K-others', 'open', 'another')`,
    [ODENSKOV, MY_CASE, ME],
  );
  for (const state of STATES) {
    for (const owner of Object.keys(OWNERS) as (keyof typeof OWNERS)[]) {
      const none = { ...state, owner, marks: 'none', deletion: 'none' } as const;
      const isMarked = owner === MARKED_OWNER;
      const marked = (isMarked ? (Object.keys(MARKS) as Marks[]) : []).filter((marks) => marks !== 'none');
      const deletions = (isMarked ? deletionsOf(state.status) : []).filter((deletion) => deletion !== 'none');
      const others = [
        ...marked.map((marks) => ({ ...none, marks })),
        ...deletions.map((deletion) => ({ ...none, deletion })),
      ];
      for (const message of [none, ...others]) messages.push(await insert(message));
    }
  }
});

afterAll(async () => {
  await store.close();
  await stack.close();
});

async function insert(message: Omit<Message, 'id'>): Promise<Message> {
  const id = newId();
  const { status, before, owner, marks, deletion } = message;
  const { kind, id: assignee, caseId }: { kind?: string; id?: string; caseId?: string } = OWNERS[owner];
  const isHeld = status === 'held' || before === 'held';
  await stack.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
       document_count, file_count, content_size, remarks, status, status_before, held_cause, status_at, status_by, version,
       next_enqueue_at, assignee_kind, assignee_id, suggested_case_id, suggestion_basis, suggestion_sender)
     VALUES ($1::uuid, $2, 'sf1606', $1::uuid::text, 'f', 'reply', now(), now(), $1::uuid, 0, 0, 0, '[]', $3, $4, $5, now(),
       'test', ${VERSION}, now() + interval '1 day', $6, $7, $8, $9, $10)`,
    [
      id,
      ODENSKOV,
      status,
      before,
      isHeld ? 'conflict' : null,
      kind,
      assignee,
      caseId,
      caseId && 'case-id',
      caseId && 'other',
    ],
  );
  const has = (mark: string) => (mark in MARKS[marks] ? 'now()' : 'NULL');
  await stack.sql(
    `UPDATE messages SET concern_marked_at = ${has('marked')}, concern_assess_by = ${has('marked')},
       concern_confirm_by = ${has('marked')}, concern_marked_by = ${has('marked')}::text,
       concern_assessed_at = ${has('assessed')}, concern_confirmed_at = ${has('confirmed')} WHERE id = $1`,
    [id],
  );
  const { legal_hold, deletion_requested_by, deletion_due_at }: Partial<Record<string, unknown>> = DELETIONS[deletion];
  await stack.sql(
    `UPDATE messages SET legal_hold = $2, deletion_requested_at = CASE WHEN $3::text IS NOT NULL THEN now() END,
       deletion_requested_by = $3, deletion_due_at = $4 WHERE id = $1`,
    [id, legal_hold ?? false, deletion_requested_by, deletion_due_at],
  );
  if (status !== 'deleted')
    await stack.sql(
      `INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, contact_info, original, original_format)
       VALUES ($1, $2, '', '', '', '', '[]', '', 'memo')`,
      [id, ODENSKOV],
    );
  return { ...message, id };
}

interface Left {
  readonly row: { status: Status; version: number };
  readonly traces: readonly string[];
}

/** What a transaction sees of a message and its traces. */
async function leftOf(connection: Connection, id: string): Promise<Left | undefined> {
  const { rows } = await connection.query<Left>({
    name: 'left',
    text: `SELECT to_jsonb(m) AS row, ARRAY(SELECT type FROM events WHERE message_id = m.id UNION ALL
             SELECT action FROM audit_events WHERE message_id = m.id) AS traces
           FROM messages m WHERE id = $1`,
    values: [id],
  });
  return rows[0];
}

class RolledBack extends Error {}

/** Makes a change, as its call does, in a transaction that is rolled back. @returns `done` or the code, and what it left */
async function attempt(principal: Principal, { id }: Message, change: ChangeOfMessage) {
  let outcome = 'done';
  let left: Left | undefined;
  const withTenantConnection: Store['withTenantConnection'] = (municipality, work) =>
    store.withTenantConnection(municipality, async (connection) => {
      await work(connection).catch((error: { code: string }) => {
        outcome = error.code;
      });
      left = await leftOf(connection, id);
      throw new RolledBack();
    });
  const { roles } = Object.values<Operation>(OPERATIONS).find((operation) => operation.change === change) as Operation;
  try {
    requireRole(roles, principal);
  } catch (error) {
    return { outcome: (error as { code: string }).code };
  }
  const request = { principal, id, expectedVersion: VERSION, at: new Date() };
  const made: Promise<unknown> = MAKE[change]({ ...store, withTenantConnection }, request);
  await made.catch((error: { code?: string }) => {
    if (!(error instanceof RolledBack)) outcome = `${error.code}`;
  });
  return { outcome, left };
}

describe.each(CHANGES)('%s', { tags: 'long' }, (change) => {
  it.each(STATES)(
    'of a message that is $status (before: $before) is made or refused as the tables say',
    async (state) => {
      const faults: unknown[] = [];
      const check = async (caller: Principal, message: Message) => {
        const shouldBe = expected(caller, message, change);
        const { outcome, left } = await attempt(caller, message, change);
        const isSeen = caller.municipality === ODENSKOV;
        const trace = change === 'deletion-confirmed' ? 'deleted' : change; // without a delay
        const after = { status: statusAfter(change, message), version: VERSION + 1, traces: [trace, trace] };
        const same = { status: message.status, version: VERSION, traces: [] };
        const leftShouldBe = !isSeen ? undefined : shouldBe === 'done' ? after : same;
        const found = left && { status: left.row.status, version: left.row.version, traces: left.traces };
        const isRight = outcome === shouldBe && (!left || JSON.stringify(found) === JSON.stringify(leftShouldBe));
        if (!isRight)
          faults.push({
            owner: message.owner,
            marks: message.marks,
            deletion: message.deletion,
            roles: [...caller.roles],
            shouldBe,
            outcome,
            found,
            leftShouldBe,
          });
      };
      const waiting = messages
        .filter(({ status, before }) => status === state.status && before === state.before)
        .flatMap((message) => callersFor(message).map((caller) => ({ caller, message })))
        .values();
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (const { caller, message } of waiting) await check(caller, message);
        }),
      );
      expect(faults).toEqual([]);
    },
  );
});

it('the list has the messages that a caller sees, and says of each which changes this caller may make', {
  tags: 'long',
}, async () => {
  const mayList = CALLERS.filter((caller) =>
    OPERATIONS.listIncomingDocuments.roles.some((role) => caller.roles.has(role)),
  );
  for (const caller of mayList) {
    const { municipality, teams, actor } = caller;
    const as = { municipality, teams, user: actor.id, roles: [...caller.roles] };
    const query = '?status=pending,held,journalized,rejected&limit=200';
    const response = await stack.call('GET', `/incoming-documents${query}`, { as });
    const { items } = DocumentList.parse(await response.json());
    const shown = Object.fromEntries(items.map(({ id, allowed }) => [id, allowed]));
    const seen = messages.filter((message) => sees(caller, message));
    const shouldBe = Object.fromEntries(
      seen.map((message) => [message.id, CHANGES.filter((change) => expected(caller, message, change) === 'done')]),
    );
    expect({ roles: as.roles, shown }).toEqual({ roles: as.roles, shown: shouldBe });
  }
});
