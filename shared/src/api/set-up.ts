import { z } from 'zod';
import { contactPointIdOf, isPossibleCvr, itSystemOf, orgUnitOf } from '../ids/index.js';
import { HELD_CAUSES, PURPOSES } from '../lifecycle/index.js';
import { NewAssignee } from './documents.js';
import {
  Assignee,
  Cvr,
  isTraining,
  keyOf,
  NAMED_ANSWERS,
  NAMED_REQUESTS,
  oneOf,
  personId,
  text,
  time,
  trueOrFalse,
  UUID_FORMS,
} from './values.js';

// The schemas of what a municipality decides by itself: its settings and its contact points.

const EXAMPLE_ID = '241d39f6-998e-4929-b198-ccacbbf4b330';

const HELD_ACTIONS = {
  hold: 'It is accepted and held.',
  refuse: 'It is refused: NOT_ALLOWED. Digital Post may send it again all the same.',
  'send-again': 'It is not taken, and Digital Post is asked to send it again later. It is seen by nobody meanwhile.',
} as const;

const HeldCause = keyOf('HeldCause', HELD_CAUSES);
const days = (most: number) => z.int().min(1).max(most);

const RULE = {
  cause: HeldCause,
  action: keyOf('HeldAction', HELD_ACTIONS),
};
const escalateAfterHours = z.int().min(1).max(8_760);
const HeldRule = z
  .strictObject({
    ...RULE,
    contact: NewAssignee.nullable().default(null).describe('Who is told of it; null: nobody'),
    escalateAfterHours: escalateAfterHours
      .nullable()
      .default(null)
      .describe('Hours after which somebody else is told too, if it is still held; null: never'),
    escalateTo: NewAssignee.nullable().default(null).describe('Who that is'),
  })
  .superRefine(({ action, contact, escalateAfterHours: after, escalateTo }, context) => {
    const fault = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (action !== 'hold' && contact) fault('contact', 'is for messages that are held');
    if (action !== 'hold' && escalateTo) fault('escalateTo', 'is for messages that are held');
    if ((after === null) !== (escalateTo === null)) fault('escalateTo', 'goes with escalateAfterHours');
  })
  .register(NAMED_REQUESTS, { id: 'HeldRule' });

const SETTINGS = {
  name: text(200).describe('Of the municipality'),
  isLive: z.boolean().describe('Whether messages go to the inbox; otherwise the cause is `not-live`'),
  takesReplies: z.boolean().describe('Whether replies are received here; otherwise the cause is `replies-off`'),
  takesEnquiries: z
    .boolean()
    .describe('Whether enquiries and forwarded messages are received here; otherwise the cause is `enquiries-off`'),
  lettersAnswerable: z.boolean().describe('Whether letters that the municipality sends may be answered'),
  replyDays: days(3_650).nullable().describe('Days that the recipient of a letter has to answer; null: no limit'),
  lateAfterDays: days(99_999).describe('A message is late when its own date is more days older than its receipt'),
  closedCaseTeam: personId
    .nullable()
    .describe('Id of the team that handles replies to closed cases; null: nobody in particular'),
  deletionNeedsTwo: z
    .boolean()
    .describe('Whether a deletion waits until another person confirms it. Of those that wait or run nothing changes'),
  deletionDelayDays: z
    .int()
    .min(0)
    .max(14)
    .describe(
      'Days from a deletion until the message is destroyed, in which it can be cancelled; 0: it is destroyed at once. Of those that run nothing changes',
    ),
  removeContentAfterDays: days(36_500)
    .nullable()
    .describe(
      'Days from its journalization until the content of a message is removed for good; null: never. GET /api/v1/retention shows what would go',
    ),
  flagRejectedAfterDays: days(36_500)
    .nullable()
    .describe('Days from its rejection until a message is flagged, for a person to delete; null: never'),
  acceptsDelegation: z
    .boolean()
    .describe('Whether users of other authorities, to whom roles here were delegated, may use them'),
};

const RULES_EXAMPLE = {
  cause: 'unknown-contact-point',
  action: 'hold',
  contact: { kind: 'user', id: 'superbruger-1' },
  escalateAfterHours: 24,
  escalateTo: { kind: 'team', id: 'team-it' },
};
const SETTINGS_EXAMPLE = {
  name: 'Eksempel Kommune',
  isLive: true,
  takesReplies: true,
  takesEnquiries: true,
  lettersAnswerable: true,
  replyDays: 14,
  lateAfterDays: 3,
  closedCaseTeam: 'team-1',
  deletionNeedsTwo: false,
  deletionDelayDays: 0,
  removeContentAfterDays: null,
  flagRejectedAfterDays: 180,
  acceptsDelegation: false,
  heldRules: [RULES_EXAMPLE],
};

/** All settings of a municipality: a PUT sets them as a whole. */
export const MunicipalityBody = z
  .strictObject({
    ...SETTINGS,
    heldRules: z
      .array(HeldRule)
      .max(Object.keys(HELD_CAUSES).length)
      .refine((rules) => new Set(rules.map(({ cause }) => cause)).size === rules.length, {
        error: 'must have each cause once',
      })
      .describe('What is done with a message that has a cause to be held. A cause without a rule: it is held'),
  })
  .meta({ examples: [SETTINGS_EXAMPLE] })
  .register(NAMED_REQUESTS, { id: 'MunicipalitySettings' });
export type MunicipalityBody = z.infer<typeof MunicipalityBody>;
export type HeldRule = MunicipalityBody['heldRules'][number];

const { heldRules, ...settings } = MunicipalityBody.shape;
/** A municipality in a file: settings that are absent stay as they are, and are the usual ones of a new municipality. */
export const MunicipalityFile = z
  .strictObject({
    cvr: Cvr,
    /** Whether it is one to practise in. */
    training: z.boolean().optional(),
    ...z.strictObject({ ...settings, heldRules }).partial().shape,
    contactPoints: z.lazy(() => ContactPoints).optional(),
  })
  // So that no real mail is ever addressed to it.
  .refine(({ cvr, training }) => !(training && isPossibleCvr(cvr)), {
    error: 'is one that an authority can have; a training municipality needs one that nobody has, such as 99999999',
    path: ['cvr'],
  });
export type MunicipalityFile = z.infer<typeof MunicipalityFile>;

const HeldRuleAnswer = z
  .object({
    ...RULE,
    contact: Assignee.nullable().describe('Who is told of it; null: nobody'),
    escalateAfterHours: escalateAfterHours.nullable().describe('null: never'),
    escalateTo: Assignee.nullable().describe('Who is told then'),
  })
  .register(NAMED_ANSWERS, { id: 'HeldRuleOfCause' });

/** What looks wrong about settings, each with a sentence for people. */
export const SETTINGS_WARNINGS = {
  'nobody-named': 'Messages are held for this cause, and nobody is named who is told of it.',
  'no-contact-points':
    'No contact point is set up. If none ever was, messages of any are accepted; else they are held.',
  'no-place-for-replies':
    'Letters may be answered and replies are received here, but no active contact point is for replies.',
} as const;

const SettingsWarning = z
  .object({
    code: keyOf('SettingsWarningCode', SETTINGS_WARNINGS),
    cause: HeldCause.nullable().describe('Of which cause to be held; null: of none'),
    text: z.string().describe('In words'),
  })
  .register(NAMED_ANSWERS, { id: 'SettingsWarning' });

export const version = z.int().describe('Send it in If-Match to change it; also in ETag');

export const MunicipalityAnswer = z
  .object({
    cvr: z.string().describe('CVR number'),
    ...SETTINGS,
    heldRules: z.array(HeldRuleAnswer).describe('Of every cause'),
    isTraining: isTraining.describe('Whether it is one to practise in: all its mail is made up. It is so for ever'),
    version,
    warnings: z.array(SettingsWarning).describe('What looks wrong'),
  })
  .meta({ examples: [{ cvr: '22222222', ...SETTINGS_EXAMPLE, isTraining: false, version: 2, warnings: [] }] })
  .register(NAMED_ANSWERS, { id: 'Municipality' });
export type MunicipalityAnswer = z.infer<typeof MunicipalityAnswer>;

export const SettingsChanged = z
  .object({ version })
  .meta({ examples: [{ version: 3 }] })
  .register(NAMED_ANSWERS, { id: 'SettingsChanged' });

/** PUT and DELETE of contact points name them by their id in Digital Post. */
export const ContactPointId = text(256)
  .transform(contactPointIdOf)
  .meta({ description: `Id in Digital Post; of a UUID: ${UUID_FORMS}`, examples: [EXAMPLE_ID] });

const TARGETS = {
  CITIZEN: 'Citizens.',
  COMPANY: 'Companies.',
  AUTHORITY: 'Authorities.',
} as const;

const LABEL_MEANINGS = {
  'child-cpr': 'The CPR number of the child: whom the message concerns.',
  'child-name': 'The name of the child: whom the message concerns.',
  school: 'A school or day care facility; its words are searched for too.',
  reference: 'A number or name that the citizen was given; its words are searched for too.',
  other: 'Something else.',
} as const;
export type LabelMeaning = keyof typeof LABEL_MEANINGS;

const InfoLabel = z
  .strictObject({
    label: text(256).describe('Of the field, as Digital Post shows it to the sender'),
    meaning: keyOf('LabelMeaning', LABEL_MEANINGS),
  })
  .register(NAMED_REQUESTS, { id: 'InfoLabel' });
NAMED_ANSWERS.add(InfoLabel, { id: 'InfoLabelOfContactPoint' });

const code = (what: string, schema: z.ZodType<string, string> = text(256)) =>
  schema.nullable().default(null).describe(`${what}; null: not told`);

const CONTACT_POINT = {
  name: text(256).describe('As people know it'),
  purpose: keyOf('Purpose', PURPOSES).default('both'),
  isActive: z.boolean().default(true).describe('Otherwise the cause of its messages is `contact-point-off`'),
  isConcern: z.boolean().default(false).describe('Its messages are marked as possible reports of concern'),
  visibleTo: z
    .array(keyOf('Target', TARGETS))
    .max(3)
    .default(['CITIZEN', 'COMPANY', 'AUTHORITY'])
    .describe('To whom Digital Post shows it'),
  kle: code('The KLE number of its messages, such as 27.24.00'),
  orgUnit: code('The org unit that its messages belong to', text(256).transform(orgUnitOf)),
  sensitivity: code('How sensitive its messages are'),
  itSystem: code('The IT system that its messages belong to', text(256).transform(itSystemOf)),
  assignee: NewAssignee.nullable().default(null).describe('Whom its messages are assigned to; null: nobody'),
  closedCaseTeam: personId
    .nullable()
    .default(null)
    .describe('Id of the team that handles replies to closed cases; null: that of the municipality'),
  infoLabels: z.array(InfoLabel).max(2).default([]).describe('What its fields for the sender mean'),
};

const CONTACT_POINT_EXAMPLE = {
  name: 'Børn og familie',
  purpose: 'both',
  isActive: true,
  isConcern: false,
  visibleTo: ['CITIZEN', 'AUTHORITY'],
  kle: '27.24.00',
  orgUnit: null,
  sensitivity: null,
  itSystem: null,
  assignee: { kind: 'team', id: 'team-1' },
  closedCaseTeam: null,
  infoLabels: [{ label: 'Barnets CPR-nummer', meaning: 'child-cpr' }],
};

export const ContactPointBody = z
  .strictObject(CONTACT_POINT)
  .meta({ examples: [CONTACT_POINT_EXAMPLE] })
  .register(NAMED_REQUESTS, { id: 'ContactPointSettings' });
export type ContactPointBody = z.infer<typeof ContactPointBody>;

export const NewContactPointBody = z
  .strictObject({ id: ContactPointId, ...CONTACT_POINT })
  .meta({ examples: [{ id: 'f3a9c1d2-5b64-4c8e-9a0f-1d2e3c4b5a69', ...CONTACT_POINT_EXAMPLE }] })
  .register(NAMED_REQUESTS, { id: 'NewContactPoint' });
export type NewContactPointBody = z.infer<typeof NewContactPointBody>;

export const MAX_IMPORTED = 2_000;
export const ImportQuery = z.strictObject({
  dryRun: trueOrFalse.default(false).describe('true: only says what would be done'),
});
const ContactPoints = z
  .array(NewContactPointBody)
  .max(MAX_IMPORTED)
  .refine((points) => new Set(points.map(({ id }) => id)).size === points.length, { error: 'must have each id once' });
/** Many contact points. */
export const ContactPointImportBody = z
  .strictObject({ contactPoints: ContactPoints.min(1).describe('Each once') })
  .meta({
    examples: [{ contactPoints: [{ id: 'b7c1d0e2-6a55-4d3f-8b1c-2f4e6a8c0d13', ...CONTACT_POINT_EXAMPLE }] }],
  })
  .register(NAMED_REQUESTS, { id: 'ContactPointImport' });
export type ContactPointImportBody = z.infer<typeof ContactPointImportBody>;

/** A cell that says yes or no; whatever it is else stays. */
export const switchOf = (text: string) =>
  ({ true: true, false: false, ja: true, nej: false })[text.toLowerCase()] ?? text;

/** What a row of a table says, in the form of the JSON; whatever does not fit is left for the schema to refuse. */
export function contactPointOfRow(row: Readonly<Record<string, string>>): object {
  const { assigneeKind, assigneeId, label1, meaning1, label2, meaning2, visibleTo, isActive, isConcern, ...texts } =
    row;
  const isLabel = (label: { label: string | undefined; meaning: string | undefined }) => label.label ?? label.meaning;
  return {
    ...texts,
    ...(visibleTo !== undefined && { visibleTo: visibleTo.split(/\s+/) }),
    ...(isActive !== undefined && { isActive: switchOf(isActive) }),
    ...(isConcern !== undefined && { isConcern: switchOf(isConcern) }),
    ...((assigneeKind ?? assigneeId) !== undefined && { assignee: { kind: assigneeKind, id: assigneeId } }),
    infoLabels: [
      { label: label1, meaning: meaning1 },
      { label: label2, meaning: meaning2 },
    ].filter(isLabel),
  };
}

export const Imported = z
  .object({
    added: z.int().describe('How many are new'),
    changed: z.int().describe('How many were set up otherwise'),
    unchanged: z.int().describe('How many were set up like this'),
  })
  .meta({ examples: [{ added: 1, changed: 0, unchanged: 0 }] })
  .register(NAMED_ANSWERS, { id: 'Imported' });

export const ContactPointAnswer = z
  .object({
    id: z.string().describe('In Digital Post'),
    ...CONTACT_POINT,
    assignee: Assignee.nullable().describe('Whom its messages are assigned to; null: nobody'),
    orgUnit: z.string().nullable().describe('The org unit that its messages belong to; null: not told'),
    itSystem: z.string().nullable().describe('The IT system that its messages belong to; null: not told'),
    version,
  })
  .meta({ examples: [{ id: EXAMPLE_ID, ...CONTACT_POINT_EXAMPLE, version: 1 }] })
  .register(NAMED_ANSWERS, { id: 'ContactPointSetUp' });
export type ContactPointAnswer = z.infer<typeof ContactPointAnswer>;

export const ContactPointCreated = z
  .object({ id: z.string().describe('In its normal form'), version })
  .meta({ examples: [{ id: EXAMPLE_ID, version: 1 }] })
  .register(NAMED_ANSWERS, { id: 'ContactPointAdded' });

export const ContactPointList = z
  .object({ items: z.array(ContactPointAnswer).describe('By name; without those that were removed') })
  .meta({ examples: [{ items: [{ id: EXAMPLE_ID, ...CONTACT_POINT_EXAMPLE, version: 1 }] }] })
  .register(NAMED_ANSWERS, { id: 'ContactPointsSetUp' });
export type ContactPointList = z.infer<typeof ContactPointList>;

const SettingsChange = z
  .object({
    at: time.describe('When'),
    by: z.string().describe('Who: the id of a user, or of a system'),
    onBehalfOf: z.string().nullable().describe('For whom, if another'),
    action: oneOf('SettingsChangeAction', [
      'municipality-changed',
      'contact-point-added',
      'contact-point-changed',
      'contact-point-removed',
      'department-added',
      'department-changed',
      'department-removed',
    ]).describe('What was done'),
    contactPoint: z.string().nullable().describe('Id of the contact point; null: it is of none'),
    department: z.string().nullable().describe('Id of the department; null: it is of none'),
    before: z.record(z.string(), z.unknown()).describe('The settings that were changed, as they were'),
    after: z.record(z.string(), z.unknown()).describe('The same as they are since'),
  })
  .register(NAMED_ANSWERS, { id: 'SettingsChange' });

export const SettingsChangeList = z
  .object({ items: z.array(SettingsChange).describe('Newest first') })
  .meta({
    examples: [
      {
        items: [
          {
            at: '2026-11-20T08:05:00.120Z',
            by: 'superbruger-1',
            onBehalfOf: null,
            action: 'municipality-changed',
            contactPoint: null,
            department: null,
            before: { replyDays: null },
            after: { replyDays: 14 },
          },
        ],
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'SettingsChanges' });
export type SettingsChangeList = z.infer<typeof SettingsChangeList>;
