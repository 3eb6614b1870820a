import { textForXml } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { cprNumberOf } from '@indbakke/shared/ids';
import type { Purpose } from '@indbakke/shared/lifecycle';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

/** What a municipality decides about answers to its letters. */
export interface ReplySettings {
  readonly lettersAnswerable: boolean;
  readonly replyDays: number | null;
  readonly takesReplies: boolean;
  /** Whether it ever set up a contact point; where none was, none is unknown (docs/decisions/0031). */
  readonly hasPoints: boolean;
}

export async function readReplySettings(connection: Connection, municipality: string): Promise<ReplySettings> {
  const [settings] = await run<ReplySettings>(
    connection,
    sql`
      SELECT letters_answerable AS "lettersAnswerable", reply_days AS "replyDays", takes_replies AS "takesReplies",
        EXISTS (SELECT FROM contact_points WHERE municipality = cvr) AS "hasPoints"
      FROM municipalities WHERE cvr = ${municipality}`,
  );
  return settings as ReplySettings;
}

interface Point {
  readonly name: string;
  readonly purpose: Purpose;
  readonly isActive: boolean;
  readonly visibleTo: readonly string[];
}

/** Where answers to a letter go. */
export interface Place {
  readonly contactPointID: string;
  readonly label: string | null;
}

/**
 * The contact point that answers to a letter go to.
 *
 * @throws Problem no-place-for-replies when answers would be held, could not be written, or would come here although the
 *   municipality receives its replies elsewhere
 */
export async function findPlace(
  connection: Connection,
  municipality: string,
  settings: ReplySettings,
  id: string,
  recipientId: string,
): Promise<Place> {
  const [point] = await run<Point>(
    connection,
    sql`
      SELECT name, purpose, is_active AS "isActive", visible_to AS "visibleTo" FROM contact_points
      WHERE municipality = ${municipality} AND contact_point_id = ${id} AND removed_at IS NULL`,
  );
  const fault = settings.takesReplies ? faultOf(point, settings, recipientId) : point && RECEIVED_ELSEWHERE;
  if (fault) throw noPlace(fault);
  return { contactPointID: id, label: point ? textForXml(point.name).trim() || null : null };
}

const RECEIVED_ELSEWHERE =
  'it is one of this inbox, but the municipality receives replies elsewhere: name a contact point of that system';

function faultOf(point: Point | undefined, { hasPoints }: ReplySettings, recipientId: string): string | undefined {
  if (!point) return hasPoints ? 'it is not set up here, so replies to it would be held' : undefined;
  if (!point.isActive) return 'it is not active, so replies to it would be held';
  if (point.purpose === 'enquiries') return 'it is for enquiries only, so replies to it would be held';
  const targets = cprNumberOf(recipientId) ? ['CITIZEN'] : ['COMPANY', 'AUTHORITY'];
  if (!targets.some((target) => point.visibleTo.includes(target)))
    return 'it is not seen by the recipient in Digital Post';
  return undefined;
}

export function noPlace(fault: string): Problem {
  return new Problem('no-place-for-replies', `body.contactPointId: ${fault}.`, { path: 'body.contactPointId' });
}
