import { textForXml } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { cprNumberOf } from '@indbakke/shared/ids';
import { type ContactPointState, heldCauseOf, TAKES_IN, type TakesIn } from '@indbakke/shared/lifecycle';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

/** What a municipality decides about answers to its letters, and about what it takes in. */
export interface ReplySettings extends TakesIn {
  readonly lettersAnswerable: boolean;
  readonly replyDays: number | null;
}

export async function readReplySettings(connection: Connection, municipality: string): Promise<ReplySettings> {
  const [settings] = await run<ReplySettings>(
    connection,
    sql`
      SELECT letters_answerable AS "lettersAnswerable", reply_days AS "replyDays", ${Prisma.raw(TAKES_IN)}
      FROM municipalities WHERE cvr = ${municipality}`,
  );
  return settings as ReplySettings;
}

interface Point extends ContactPointState {
  readonly name: string;
  readonly visibleTo: readonly string[];
}

/** Where answers to a letter go. */
export interface Place {
  readonly contactPointID: string;
  readonly label: string | null;
}

/**
 * The contact point that answers to a letter go to: the named one, or that of the message that the letter answers.
 *
 * @throws Problem no-place-for-replies when answers would be held, could not be written, or would come here although the
 *   municipality receives its replies elsewhere
 */
export async function findPlace(
  connection: Connection,
  municipality: string,
  settings: ReplySettings,
  { id, isNamed, recipientId }: { readonly id: string; readonly isNamed: boolean; readonly recipientId: string },
): Promise<Place> {
  const [point] = await run<Point>(
    connection,
    sql`
      SELECT name, purpose, is_active AS "isActive", visible_to AS "visibleTo" FROM contact_points
      WHERE municipality = ${municipality} AND contact_point_id = ${id} AND removed_at IS NULL`,
  );
  const fault = settings.takesReplies ? faultOf(point, settings, recipientId) : point && RECEIVED_ELSEWHERE;
  if (fault) {
    const words = isNamed ? 'it' : 'is required, since the one that the answered message was sent to';
    throw new Problem('no-place-for-replies', `body.contactPointId: ${words} ${fault}.`, {
      path: 'body.contactPointId',
    });
  }
  return { contactPointID: id, label: point ? textForXml(point.name).trim() || null : null };
}

const RECEIVED_ELSEWHERE =
  'is of this inbox, but the municipality receives replies elsewhere: name a contact point of that system';

function faultOf(point: Point | undefined, settings: ReplySettings, recipientId: string): string | undefined {
  // Before it is live all mail is held, and released by itself then.
  const cause = heldCauseOf('reply', { ...settings, isLive: true }, point);
  if (cause === 'unknown-contact-point') return 'is not set up here, so replies to it would be held';
  if (cause === 'contact-point-off') {
    return `is ${point?.isActive ? 'for enquiries only' : 'not active'}, so replies to it would be held`;
  }
  if (!point) return undefined;
  const targets = cprNumberOf(recipientId) ? ['CITIZEN'] : ['COMPANY', 'AUTHORITY'];
  if (!targets.some((target) => point.visibleTo.includes(target)))
    return 'is not seen by the recipient in Digital Post';
  return undefined;
}
