import type { ContactPointAnswer } from '@indbakke/shared/api';
import { call } from '../api.js';
import { inBoth, useTexts } from '../language.js';
import { Check } from './check.js';
import { EditEntryPage, type EntryKind, EntryListPage, inPath, NewEntryPage } from './entries.js';
import { Checkbox, ChoiceField, PersonField, TextField } from './fields.js';
import { useWords } from './labels.js';
import { isOn, personIn, personValues, textIn, textOf, textOrNull, type Values } from './values.js';

export const CONTACT_POINT_TEXTS = inBoth({
  da: {
    title: 'Kontaktpunkter',
    intro:
      'De kontaktpunkter i Digital Post, hvis post kommer her. De skal også være oprettet i Administrativ Adgang med de samme id’er.',
    add: 'Nyt kontaktpunkt',
    addTitle: 'Nyt kontaktpunkt',
    import: 'Indlæs fra CSV eller Excel',
    importTitle: 'Indlæs kontaktpunkter',
    none: 'Der er ingen kontaktpunkter endnu.',
    added:
      'Kontaktpunktet er oprettet. Post, som blev holdt tilbage, fordi det manglede, frigives i løbet af sekunder.',
    removed: (name: string) => `Kontaktpunktet ${name} er fjernet.`,
    remove: 'Fjern kontaktpunktet',
    askRemove: (name: string) =>
      `Skal ${name} fjernes? Breve, der er kommet, beholder navnet. Ny post til det holdes tilbage, indtil det oprettes igen.`,
    concern: 'Underretninger',
    off: 'ikke aktivt',
    on: 'aktivt',
    state: 'Tilstand',
    idHint: 'Som i Administrativ Adgang, for eksempel 241d39f6-998e-4929-b198-ccacbbf4b330.',
    activeHint: 'Ellers holdes dets post tilbage.',
    concernHint: 'Dets post markeres som mulig underretning og får to frister: 24 timer og 6 arbejdsdage.',
    visibleTo: 'Synligt i Digital Post for',
    kleHint: 'For eksempel 27.24.00. Begrænser, hvem der ser posten, når kommunens roller er afgrænset.',
    teamHint: 'Id for teamet. Tomt: kommunens.',
    infoLabels: 'Felter, som afsenderen udfylder',
    infoHint: 'Navnet præcis, som det står i Digital Post. Tomt: intet felt.',
    infoLabel: (number: number) => `Felt ${number}: navn i Digital Post`,
    infoMeaning: (number: number) => `Felt ${number}: hvad det er`,
  },
  en: {
    title: 'Contact points',
    intro:
      'The contact points in Digital Post whose mail comes here. They must be in Administrativ Adgang too, with the same ids.',
    add: 'New contact point',
    addTitle: 'New contact point',
    import: 'Import from CSV or Excel',
    importTitle: 'Import contact points',
    none: 'There are no contact points yet.',
    added: 'The contact point is added. Mail that was held because it was missing is released within seconds.',
    removed: (name) => `The contact point ${name} is removed.`,
    remove: 'Remove the contact point',
    askRemove: (name) =>
      `Remove ${name}? Letters that have come keep the name. New mail to it is held until it is added again.`,
    concern: 'Reports of concern',
    off: 'not active',
    on: 'active',
    state: 'State',
    idHint: 'As in Administrativ Adgang, such as 241d39f6-998e-4929-b198-ccacbbf4b330.',
    activeHint: 'Otherwise its mail is held.',
    concernHint: 'Its mail is marked as a possible report of concern and gets two clocks: 24 hours and 6 working days.',
    visibleTo: 'Shown in Digital Post to',
    kleHint: 'Such as 27.24.00. Limits who sees the mail where roles of the municipality are limited.',
    teamHint: 'Id of the team. Empty: that of the municipality.',
    infoLabels: 'Fields that the sender fills in',
    infoHint: 'The name exactly as Digital Post has it. Empty: no field.',
    infoLabel: (number) => `Field ${number}: name in Digital Post`,
    infoMeaning: (number) => `Field ${number}: what it is`,
  },
});

const TARGETS = ['CITIZEN', 'COMPANY', 'AUTHORITY'] as const;
const INFO_LABELS = [0, 1] as const;

function valuesOf(point: Omit<ContactPointAnswer, 'id' | 'version'>): Values {
  return {
    name: point.name,
    purpose: point.purpose,
    isActive: point.isActive,
    isConcern: point.isConcern,
    ...Object.fromEntries(TARGETS.map((target) => [`visibleTo.${target}`, point.visibleTo.includes(target)])),
    kle: textOf(point.kle),
    orgUnit: textOf(point.orgUnit),
    sensitivity: textOf(point.sensitivity),
    itSystem: textOf(point.itSystem),
    ...personValues('assignee', point.assignee),
    closedCaseTeam: textOf(point.closedCaseTeam),
    ...Object.fromEntries(
      INFO_LABELS.flatMap((at) => [
        [`infoLabels.${at}.label`, point.infoLabels[at]?.label ?? ''],
        [`infoLabels.${at}.meaning`, point.infoLabels[at]?.meaning ?? 'child-cpr'],
      ]),
    ),
  };
}

const bodyOf = (values: Values) => ({
  name: textIn(values, 'name'),
  purpose: textIn(values, 'purpose'),
  isActive: isOn(values, 'isActive'),
  isConcern: isOn(values, 'isConcern'),
  visibleTo: TARGETS.filter((target) => isOn(values, `visibleTo.${target}`)),
  kle: textOrNull(values, 'kle'),
  orgUnit: textOrNull(values, 'orgUnit'),
  sensitivity: textOrNull(values, 'sensitivity'),
  itSystem: textOrNull(values, 'itSystem'),
  assignee: personIn(values, 'assignee'),
  closedCaseTeam: textOrNull(values, 'closedCaseTeam'),
  infoLabels: INFO_LABELS.filter((at) => textIn(values, `infoLabels.${at}.label`) !== '').map((at) => ({
    label: textIn(values, `infoLabels.${at}.label`),
    meaning: textIn(values, `infoLabels.${at}.meaning`),
  })),
});

export const CONTACT_POINTS: EntryKind<ContactPointAnswer> = {
  name: 'contact-point',
  path: '/contact-points',
  of: 'contactPoint',
  empty: {
    id: '',
    ...valuesOf({
      name: '',
      purpose: 'both',
      isActive: true,
      isConcern: false,
      visibleTo: [...TARGETS],
      kle: null,
      orgUnit: null,
      sensitivity: null,
      itSystem: null,
      assignee: null,
      closedCaseTeam: null,
      infoLabels: [],
    }),
  },
  valuesOf,
  bodyOf,
};

export function ContactPointList() {
  const own = useTexts(CONTACT_POINT_TEXTS);
  const { fields, purposes, person } = useWords();
  return (
    <EntryListPage
      kind={CONTACT_POINTS}
      own={own}
      intro={own.intro}
      headings={[fields.name ?? '', fields.purpose ?? '', own.state, fields.assignee ?? '', fields.id ?? '']}
      cells={({ id, purpose, isActive, isConcern, assignee }) => [
        <>
          {purposes[purpose]} {isConcern && <span class="badge badge-warning">{own.concern}</span>}
        </>,
        isActive ? own.on : <strong>{own.off}</strong>,
        assignee ? person(assignee) : '–',
        <code class="id" key="id">
          {id}
        </code>,
      ]}
    />
  );
}

export function NewContactPoint() {
  const own = useTexts(CONTACT_POINT_TEXTS);
  return (
    <NewEntryPage kind={CONTACT_POINTS} own={own}>
      <TextField name="id" hint={own.idHint} isRequired />
      <PointFields />
    </NewEntryPage>
  );
}

export function ContactPoint({ id }: { readonly id: string }) {
  const own = useTexts(CONTACT_POINT_TEXTS);
  return (
    <EditEntryPage
      kind={CONTACT_POINTS}
      own={own}
      id={id}
      read={() => call<ContactPointAnswer>('GET', `/contact-points/${inPath(id)}`)}
      fields={({ isConcern }) => (
        <>
          {isConcern && (
            <p>
              <span class="badge badge-warning">{own.concern}</span>
            </p>
          )}
          <PointFields />
        </>
      )}
      after={<Check id={id} />}
    />
  );
}

function PointFields() {
  const own = useTexts(CONTACT_POINT_TEXTS);
  const { purposes, targets, meanings } = useWords();
  return (
    <>
      <TextField name="name" isRequired />
      <ChoiceField name="purpose" choices={purposes} />
      <Checkbox name="isActive" hint={own.activeHint} />
      <Checkbox name="isConcern" hint={own.concernHint} />
      <fieldset>
        <legend>{own.visibleTo}</legend>
        {TARGETS.map((target) => (
          <Checkbox key={target} name={`visibleTo.${target}`} label={targets[target]} />
        ))}
      </fieldset>
      <PersonField name="assignee" />
      <TextField name="closedCaseTeam" hint={own.teamHint} />
      <TextField name="kle" hint={own.kleHint} />
      <TextField name="orgUnit" />
      <TextField name="sensitivity" />
      <TextField name="itSystem" />
      <fieldset>
        <legend>{own.infoLabels}</legend>
        {INFO_LABELS.map((at) => (
          <div class="side-by-side" key={at}>
            <TextField name={`infoLabels.${at}.label`} label={own.infoLabel(at + 1)} hint={own.infoHint} />
            <ChoiceField name={`infoLabels.${at}.meaning`} label={own.infoMeaning(at + 1)} choices={meanings} />
          </div>
        ))}
      </fieldset>
    </>
  );
}
