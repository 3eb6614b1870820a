import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { announce } from '@indbakke/shared/crash-points';
import {
  ASSIGNEE_OF_POINT,
  type Assignee,
  type ChangeRequest,
  type ContactPointState,
  concernClocksOf,
  type HeldCause,
  heldCauseOf,
  type Kind,
  TAKES_IN,
  type TakesIn,
  writeChange,
} from '@indbakke/shared/lifecycle';
import { type Parts, tryEach } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

type ReleaseParts = Pick<Parts, 'store'>;

const MUNICIPALITIES = 100;
/** Each is a statement; the settings cannot be changed meanwhile. */
const BATCH = 100;

/**
 * Decides the held messages of each municipality again whose settings were changed, and releases those that nothing holds now. A
 * municipality is marked until all are decided, so that a process that ends in between leaves the rest to the next one.
 */
export async function releaseHeldMessages({ store }: ReleaseParts): Promise<void> {
  const due = await store.sweep<{ municipality: string; mark: string }>(
    'SELECT cvr AS municipality, release_due::text AS mark FROM municipalities WHERE release_due IS NOT NULL LIMIT $1',
    [MUNICIPALITIES],
  );
  await tryEach(due, ({ municipality, mark }) => releaseOf({ store }, municipality, mark));
}

/** In the order of their receipt. */
async function releaseOf({ store }: ReleaseParts, municipality: string, mark: string): Promise<void> {
  let last: Place | undefined;
  do {
    const after = last;
    last = await store.withTenantConnection(municipality, async (connection) => {
      const takes = await lockSettings(connection, municipality);
      const next = await findHeld(connection, municipality, after);
      const held = await lockHeld(connection, municipality, next);
      for (const message of held) await decideAgain(connection, municipality, takes, message);
      if (next.length < BATCH) {
        await run(
          connection,
          sql`UPDATE municipalities SET release_due = NULL WHERE cvr = ${municipality} AND release_due = ${mark}::uuid`,
        );
        return undefined;
      }
      return next.at(-1);
    });
    announce('held-released');
  } while (last);
}

/** One process at a time, and none while the settings are changed. */
async function lockSettings(connection: Connection, municipality: string): Promise<TakesIn> {
  const [takes] = await run<TakesIn>(
    connection,
    sql`
      SELECT ${Prisma.raw(TAKES_IN)} FROM municipalities WHERE cvr = ${municipality} FOR NO KEY UPDATE`,
  );
  return takes as TakesIn;
}

interface Held extends Place {
  readonly kind: Kind;
  readonly heldCause: HeldCause;
  readonly contactPointId: string | null;
  readonly isMarked: boolean;
  readonly isAssigned: boolean;
  readonly point: (ContactPointState & { readonly isConcern: boolean; readonly assignee: Assignee | null }) | null;
}

interface Place {
  readonly id: string;
  readonly receivedAt: Date;
}

function findHeld(connection: Connection, municipality: string, after: Place | undefined): Promise<Place[]> {
  const rest = after
    ? sql`AND (received_at, id) > (${after.receivedAt}::timestamptz, ${after.id}::uuid)`
    : Prisma.empty;
  return run<Place>(
    connection,
    sql`
      SELECT id, received_at AS "receivedAt" FROM messages WHERE municipality = ${municipality} AND status = 'held' ${rest}
      ORDER BY received_at, id LIMIT ${BATCH}::int`,
  );
}

/**
 * Those that are still held, in the order of receipt. Locks in the order of ids, like requestSuggestions, to avoid deadlocks.
 */
function lockHeld(connection: Connection, municipality: string, places: readonly Place[]): Promise<Held[]> {
  return run<Held>(
    connection,
    sql`
      WITH locked AS MATERIALIZED (
        SELECT * FROM messages
        WHERE municipality = ${municipality} AND id = ANY (${places.map(({ id }) => id)}::uuid[]) AND status = 'held'
        ORDER BY id FOR NO KEY UPDATE
      )
      SELECT m.id, m.kind, m.held_cause AS "heldCause", m.received_at AS "receivedAt", m.contact_point_id AS "contactPointId",
        m.concern_marked_at IS NOT NULL AS "isMarked", m.assignee_id IS NOT NULL AS "isAssigned",
        (SELECT json_build_object('purpose', purpose, 'isActive', is_active, 'isConcern', is_concern, 'assignee', ${Prisma.raw(ASSIGNEE_OF_POINT)})
         FROM contact_points
         WHERE municipality = m.municipality AND contact_point_id = m.contact_point_id AND removed_at IS NULL) AS point
      FROM locked m ORDER BY m.received_at, m.id`,
  );
}

async function decideAgain(connection: Connection, municipality: string, takes: TakesIn, message: Held): Promise<void> {
  const { heldCause, kind, point } = message;
  if (heldCause === 'conflict') return; // only a person can tell which one is right
  const cause = heldCauseOf(kind, takes, message.contactPointId === null ? null : (point ?? undefined));
  if (cause === heldCause) return;
  const at = currentTime();
  const request: ChangeRequest = {
    principal: asSystem(municipality, INDBAKKE),
    id: message.id,
    expectedVersion: undefined,
    at,
  };
  if (cause !== null) {
    const set = sql`held_cause = ${cause}, escalated_at = NULL`;
    await writeChange(connection, request, 'cause-changed', { set, details: { heldCause: cause } });
    return;
  }
  await writeChange(connection, request, 'released', withContactPoint(message, at));
}

/** What its contact point would have done with it when it arrived. */
function withContactPoint({ heldCause, receivedAt, isMarked, isAssigned, point }: Held, at: Date) {
  const assignee = isAssigned ? null : point?.assignee;
  const concern = point?.isConcern && !isMarked ? concernClocksOf(receivedAt) : undefined;
  const set = [
    ...(assignee ? [sql`assignee_kind = ${assignee.kind}, assignee_id = ${assignee.id}`] : []),
    ...(concern
      ? [
          sql`concern_marked_at = ${at}::timestamptz, concern_marked_by = ${INDBAKKE.id},
            concern_assess_by = ${concern.assessBy}::timestamptz, concern_confirm_by = ${concern.confirmBy}::timestamptz`,
        ]
      : []),
  ];
  const details = {
    heldCause,
    ...(assignee && { assigneeKind: assignee.kind, assigneeId: assignee.id }),
    ...(concern && { assessBy: concern.assessBy.toISOString(), confirmBy: concern.confirmBy.toISOString() }),
  };
  return { ...(set.length > 0 && { set: Prisma.join(set) }), details };
}
