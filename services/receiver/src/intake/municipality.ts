import type { HeldRule, LabelMeaning } from '@indbakke/shared/api';
import {
  ASSIGNEE_OF_POINT,
  type Assignee,
  type ContactPointState,
  type HeldCause,
  TAKES_IN,
  type TakesIn,
} from '@indbakke/shared/lifecycle';
import type { Connection } from '@indbakke/shared/store';

/** What a municipality has decided, as far as intake needs it. */
export interface MunicipalitySettings extends TakesIn {
  /** A message whose own date is older is late. */
  readonly lateAfterDays: number;
  /** One to practise in: its mail is counted nowhere. */
  readonly isTraining: boolean;
  /** A cause without a rule: it is held, and nobody is named. */
  readonly heldRules: Readonly<Partial<Record<HeldCause, Pick<HeldRule, 'action' | 'contact'>>>>;
  /** Those that were asked for, as far as they are set up, by their ids. */
  readonly contactPoints: ReadonlyMap<string, ContactPoint>;
}

export interface ContactPoint extends ContactPointState {
  /** Whether its messages are marked as possible reports of concern. */
  readonly isConcern: boolean;
  /** Whom its messages are assigned to. */
  readonly assignee: Assignee | null;
  readonly infoLabels: readonly { readonly label: string; readonly meaning: LabelMeaning }[];
}

interface Row extends Omit<MunicipalitySettings, 'contactPoints'> {
  readonly contactPoints: readonly (ContactPoint & { readonly id: string })[];
}

/**
 * Read for each batch, so that a change takes effect with the next message in every copy. Undefined for a municipality that is not
 * set up.
 *
 * @param contactPointIds in their normal form
 */
export async function loadMunicipality(
  connection: Connection,
  cvr: string,
  contactPointIds: readonly string[],
): Promise<MunicipalitySettings | undefined> {
  const { rows } = await connection.query<Row>({
    name: 'load-municipality',
    text: `SELECT ${TAKES_IN}, late_after_days AS "lateAfterDays", held_rules AS "heldRules", is_training AS "isTraining",
             (SELECT coalesce(json_agg(json_build_object('id', contact_point_id, 'purpose', purpose, 'isActive', is_active,
                'isConcern', is_concern, 'infoLabels', info_labels, 'assignee', ${ASSIGNEE_OF_POINT})), '[]')
              FROM contact_points
              WHERE municipality = $1 AND contact_point_id = ANY ($2) AND removed_at IS NULL) AS "contactPoints"
           FROM municipalities WHERE cvr = $1`,
    values: [cvr, contactPointIds],
  });
  const [row] = rows;
  return row && { ...row, contactPoints: new Map(row.contactPoints.map((point) => [point.id, point])) };
}
