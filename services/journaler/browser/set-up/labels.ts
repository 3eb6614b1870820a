import type { ContactPointCheck, MunicipalityAnswer, SettingsChangeList } from '@indbakke/shared/api';
import { inBoth, useTexts } from '../language.js';

// What the fields of the set-up and their values are called: in forms, in changes, in conflicts.

type Rule = MunicipalityAnswer['heldRules'][number];
export type Cause = Rule['cause'];

export const LABELS = inBoth({
  da: {
    fields: {
      name: 'Navn',
      isLive: 'I drift',
      takesReplies: 'Modtager svar på egne breve',
      takesEnquiries: 'Modtager henvendelser og videresendt post',
      lettersAnswerable: 'Borgeren må svare på kommunens breve',
      replyDays: 'Svarfrist i dage',
      lateAfterDays: 'Forsinket efter så mange dage',
      closedCaseTeam: 'Team til svar på lukkede sager',
      deletionNeedsTwo: 'Sletning kræver to personer',
      deletionDelayDays: 'Dage, hvor en sletning kan fortrydes',
      removeContentAfterDays: 'Indhold fjernes så mange dage efter journalisering',
      flagRejectedAfterDays: 'Afviste breve markeres efter så mange dage',
      acceptsDelegation: 'Medarbejdere fra andre myndigheder må bruge roller her',
      heldRules: 'Regler for tilbageholdt post',
      id: 'Id',
      purpose: 'Er til',
      isActive: 'Aktiv',
      isConcern: 'Til underretninger',
      visibleTo: 'Synligt for',
      kle: 'KLE-nummer',
      orgUnit: 'Organisatorisk enhed',
      sensitivity: 'Følsomhed',
      itSystem: 'It-system',
      assignee: 'Fordeles til',
      infoLabels: 'Felter, som afsenderen udfylder',
      email: 'Mailadresse',
      phone: 'Telefon',
      address: 'Adresse',
      note: 'Bemærkning',
      action: 'Hvad der sker',
      contact: 'Hvem der får besked',
      escalateAfterHours: 'Timer, før en anden får besked',
      escalateTo: 'Hvem der så får besked',
      label: 'Feltets navn i Digital Post',
      meaning: 'Hvad feltet er',
      kind: 'Medarbejder eller team',
      userId: 'Hvem er fraværende',
      substitute: 'Stedfortræder',
      from: 'Fra',
      until: 'Til',
    } as Record<string, string>,
    yes: 'ja',
    no: 'nej',
    none: 'ikke angivet',
    user: (id: string) => `medarbejderen ${id}`,
    team: (id: string) => `teamet ${id}`,
    and: ' og ',
    purposes: { replies: 'svar', enquiries: 'henvendelser og videresendt post', both: 'al post' },
    targets: { CITIZEN: 'borgere', COMPANY: 'virksomheder', AUTHORITY: 'myndigheder' },
    meanings: {
      'child-cpr': 'Barnets CPR-nummer',
      'child-name': 'Barnets navn',
      school: 'Skole eller dagtilbud',
      reference: 'Nummer eller navn, som borgeren har fået oplyst',
      other: 'Andet',
    },
    heldActions: {
      hold: 'Posten modtages og holdes tilbage',
      refuse: 'Posten afvises over for Digital Post',
      'send-again': 'Posten modtages ikke; Digital Post bedes sende den igen senere',
    } satisfies Record<Rule['action'], string>,
    rule: (action: string, told: string | null, then: string | null) =>
      [action, told && `${told} får besked`, then].filter(Boolean).join('; '),
    escalates: (hours: number, who: string) => `efter ${hours} timer også ${who}`,
    nobodyTold: 'ingen får besked',
  },
  en: {
    fields: {
      name: 'Name',
      isLive: 'Live',
      takesReplies: 'Receives replies to own letters',
      takesEnquiries: 'Receives enquiries and forwarded mail',
      lettersAnswerable: 'Citizens may answer the municipality’s letters',
      replyDays: 'Days to answer',
      lateAfterDays: 'Late after so many days',
      closedCaseTeam: 'Team for replies to closed cases',
      deletionNeedsTwo: 'Deletion needs two persons',
      deletionDelayDays: 'Days in which a deletion can be cancelled',
      removeContentAfterDays: 'Content is removed so many days after journalization',
      flagRejectedAfterDays: 'Rejected letters are flagged after so many days',
      acceptsDelegation: 'People of other authorities may use roles here',
      heldRules: 'Rules for held mail',
      id: 'Id',
      purpose: 'Is for',
      isActive: 'Active',
      isConcern: 'For reports of concern',
      visibleTo: 'Shown to',
      kle: 'KLE number',
      orgUnit: 'Org unit',
      sensitivity: 'Sensitivity',
      itSystem: 'IT system',
      assignee: 'Assigned to',
      infoLabels: 'Fields that the sender fills in',
      email: 'E-mail address',
      phone: 'Telephone',
      address: 'Address',
      note: 'Note',
      action: 'What is done',
      contact: 'Who is told',
      escalateAfterHours: 'Hours until somebody else is told',
      escalateTo: 'Who is told then',
      label: 'Name of the field in Digital Post',
      meaning: 'What the field is',
      kind: 'Caseworker or team',
      userId: 'Who is absent',
      substitute: 'Substitute',
      from: 'From',
      until: 'Until',
    },
    yes: 'yes',
    no: 'no',
    none: 'not told',
    user: (id) => `caseworker ${id}`,
    team: (id) => `team ${id}`,
    and: ' and ',
    purposes: { replies: 'replies', enquiries: 'enquiries and forwarded mail', both: 'all mail' },
    targets: { CITIZEN: 'citizens', COMPANY: 'companies', AUTHORITY: 'authorities' },
    meanings: {
      'child-cpr': 'CPR number of the child',
      'child-name': 'Name of the child',
      school: 'School or day care',
      reference: 'Number or name that the citizen was given',
      other: 'Other',
    },
    heldActions: {
      hold: 'Mail is accepted and held',
      refuse: 'Mail is refused to Digital Post',
      'send-again': 'Mail is not taken; Digital Post is asked to send it again later',
    },
    rule: (action, told, then) => [action, told && `${told} is told`, then].filter(Boolean).join('; '),
    escalates: (hours, who) => `after ${hours} hours ${who} too`,
    nobodyTold: 'nobody is told',
  },
});

/** Why mail is held, and what to do, as docs/onboarding.md has it. */
export const CAUSES = inBoth({
  da: {
    'unknown-contact-point': {
      name: 'Kontaktpunktet er ikke sat op her',
      remedy: 'Opret kontaktpunktet her, eller ret fordelingsreglen i Administrativ Adgang.',
    },
    'contact-point-off': {
      name: 'Kontaktpunktet er ikke aktivt eller er til anden post',
      remedy: 'Gør kontaktpunktet aktivt, eller ret, hvad det er til.',
    },
    'replies-off': {
      name: 'Kommunen modtager ikke svar her',
      remedy: 'Slå svar til, eller lad posten gå til et andet system.',
    },
    'enquiries-off': {
      name: 'Kommunen modtager ikke henvendelser her',
      remedy: 'Slå henvendelser til, eller lad posten gå til et andet system.',
    },
    'not-live': { name: 'Kommunen er ikke sat i drift', remedy: 'Sæt kommunen i drift.' },
    conflict: {
      name: 'Et andet brev med samme id kom først',
      remedy: 'Sammenlign de to, og frigiv eller afvis det, der kom sidst.',
    },
  } satisfies Record<Cause, { name: string; remedy: string }>,
  en: {
    'unknown-contact-point': {
      name: 'The contact point is not set up here',
      remedy: 'Add the contact point here, or mend the distribution rule in Administrativ Adgang.',
    },
    'contact-point-off': {
      name: 'The contact point is not active, or is for other mail',
      remedy: 'Make the contact point active, or mend what it is for.',
    },
    'replies-off': {
      name: 'The municipality does not receive replies here',
      remedy: 'Switch replies on, or let the mail go to another system.',
    },
    'enquiries-off': {
      name: 'The municipality does not receive enquiries here',
      remedy: 'Switch enquiries on, or let the mail go to another system.',
    },
    'not-live': { name: 'The municipality is not live', remedy: 'Set it live.' },
    conflict: {
      name: 'Another letter with the same id came first',
      remedy: 'Compare the two, and release or reject the one that came last.',
    },
  },
});

type Meaning = 'child-cpr' | 'child-name' | 'school' | 'reference' | 'other';
interface Person {
  readonly kind: 'user' | 'team';
  readonly id: string;
}
type CheckStatus = NonNullable<ContactPointCheck['check']>['status'];

export type { CheckStatus };
export type Change = SettingsChangeList['items'][number];

/** How fields and their values are written. */
export function useWords() {
  const own = useTexts(LABELS);
  const causes = useTexts(CAUSES);
  const person = ({ kind, id }: Person) => own[kind](id);
  const rule = ({ action, contact, escalateAfterHours, escalateTo }: Rule) =>
    own.rule(
      own.heldActions[action],
      action === 'hold' ? (contact ? person(contact) : null) : null,
      escalateTo && escalateAfterHours !== null ? own.escalates(escalateAfterHours, person(escalateTo)) : null,
    );
  const value = (field: string, it: unknown): string => {
    if (it === null || it === undefined || it === '') return own.none;
    if (typeof it === 'boolean') return it ? own.yes : own.no;
    if (field === 'purpose') return own.purposes[it as keyof typeof own.purposes] ?? String(it);
    if (field === 'assignee') return person(it as Person);
    if (field === 'visibleTo') return listed((it as (keyof typeof own.targets)[]).map((each) => own.targets[each]));
    if (field === 'infoLabels') {
      const labels = it as { label: string; meaning: Meaning }[];
      return listed(labels.map(({ label, meaning }) => `“${label}”: ${own.meanings[meaning]}`));
    }
    return String(it);
  };
  const listed = (texts: string[]) => (texts.length === 0 ? own.none : texts.join(', '));
  /** Of settings before and after, field by field; of rules only those that differ. */
  const differences = (before: Fields, after: Fields): Difference[] =>
    Object.keys(after).flatMap((field) => {
      const [old, now] = [before[field], after[field]];
      if (JSON.stringify(given(old)) === JSON.stringify(given(now))) return [];
      if (field !== 'heldRules') {
        return [{ field: own.fields[field] ?? field, before: value(field, old), after: value(field, now) }];
      }
      const ruleIn = (rules: unknown, cause: Cause) =>
        (Array.isArray(rules) ? (rules as Rule[]) : []).find((each) => each.cause === cause) ?? {
          ...NO_RULE,
          cause,
        };
      return (Object.keys(causes) as Cause[]).flatMap((cause) => {
        const [then, since] = [rule(ruleIn(old, cause)), rule(ruleIn(now, cause))];
        return then === since ? [] : [{ field: causes[cause].name, before: then, after: since }];
      });
    });
  return { ...own, causes, person, rule, value, differences };
}

/** A list without anything is not given either. */
const given = (value: unknown) => (Array.isArray(value) && value.length === 0 ? null : (value ?? null));

const NO_RULE = { action: 'hold', contact: null, escalateAfterHours: null, escalateTo: null } as const;

export type Fields = Readonly<Record<string, unknown>>;
export interface Difference {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}
