import type { DocumentSummary } from '@indbakke/shared/api';
import { nameOfSender } from '@indbakke/shared/danish-words';
import type { Column } from '@indbakke/shared/excel';
import { CHANNEL_WORDS, KIND_WORDS, STATUS_WORDS } from '@indbakke/shared/inbox';

// The columns of an exported list. Danish, as people in a municipality read them.

export const LIST_SHEET = 'Indkomne dokumenter';

const BASES: Record<NonNullable<DocumentSummary['suggestion']>['basis'], string> = {
  'message-uuid': 'Svar på en sendt meddelelse',
  'message-id': 'Afsenderens id for en sendt meddelelse',
  'case-id': 'Sagsnummer',
  'sag-forslag': 'Afsendersystemets forslag',
};

const SENDERS: Record<NonNullable<DocumentSummary['suggestion']>['sender'], string> = {
  'recipient-of-the-letter': 'Modtager af brevet',
  'party-to-the-case': 'Part i sagen',
  other: 'Anden',
};

const CASE_STATUSES: Record<NonNullable<NonNullable<DocumentSummary['suggestion']>['caseStatus']>, string> = {
  open: 'Åben',
  closed: 'Lukket',
  moved: 'Flyttet',
};

const PARTIES: Record<NonNullable<NonNullable<DocumentSummary['suggestion']>['party']>, string> = {
  child: 'Barnet',
  mother: 'Mor',
  father: 'Far',
  guardian: 'Forældremyndighedsindehaver eller værge',
  professional: 'Fagperson',
  other: 'Anden',
};

const WARNINGS: Record<NonNullable<NonNullable<DocumentSummary['suggestion']>['warning']>, string> = {
  'not-the-recipient': 'Brevet var til en anden end den, der svarer',
};

const REASONS: Record<NonNullable<DocumentSummary['rejection']>['reason'], string> = {
  'wrong-municipality': 'Anden kommune',
  'wrong-department': 'Anden afdeling',
  'not-for-us': 'Ikke til os',
  unreadable: 'Kan ikke læses',
  duplicate: 'Modtaget før',
  'handed-over': 'Overtaget af en anden kommune',
  unwanted: 'Uønsket',
  other: 'Andet',
};

const DELIVERIES: Record<NonNullable<NonNullable<DocumentSummary['answer']>['delivery']>, string> = {
  delivered: 'Afleveret',
  failed: 'Fejlet',
};

function outcomeIn({ outcome }: NonNullable<DocumentSummary['rejection']>): string {
  if (!outcome) return 'Mangler';
  if (outcome.forwardedTo) return 'Sendt videre';
  return outcome.senderInformed ? 'Afsender underrettet' : 'Intet at gøre';
}

const yes = (value: boolean | null | undefined) => (value == null ? null : value ? 'Ja' : 'Nej');
const dateOf = (time: string | null | undefined) => (time == null ? null : new Date(time));

type Value<Result> = (document: DocumentSummary) => Result | null | undefined;

const text = (heading: string, width: number, of: Value<string>): Column<DocumentSummary> => ({
  heading,
  width,
  format: 'text',
  of: (document) => of(document) ?? null,
});
const number = (heading: string, of: Value<number>): Column<DocumentSummary> => ({
  heading,
  width: 9,
  format: 'number',
  of: (document) => of(document) ?? null,
});
const time = (heading: string, of: Value<string>): Column<DocumentSummary> => ({
  heading,
  width: 17,
  format: 'time',
  of: (document) => dateOf(of(document)),
});

export const COLUMNS: readonly Column<DocumentSummary>[] = [
  time('Modtaget', (document) => document.receivedAt),
  time('Brevdato', (document) => document.letterAt),
  text('Status', 14, ({ status }) => STATUS_WORDS[status]),
  text('Type', 13, ({ kind }) => KIND_WORDS[kind]),
  text('Kanal', 21, ({ channel }) => CHANNEL_WORDS[channel]),
  text('Kontaktpunkt', 24, ({ contactPoint }) => contactPoint?.name ?? contactPoint?.id),
  text('Emne', 48, ({ subject }) => subject),
  text('Afsender', 28, ({ sender }) => nameOfSender(sender)),
  text('Afsenders nummer', 17, ({ sender }) => sender.id),
  text('Afsenders nummertype', 12, ({ sender }) => sender.idType),
  text('På vegne af afsender', 28, ({ sender }) => sender.representative?.name),
  text('Vedrører', 28, ({ concerning }) => concerning?.name),
  text('Vedrører, CPR-nummer', 17, ({ concerning }) => concerning?.id),
  time('Svar ønskes senest', ({ replyBy }) => replyBy),
  time('Besvaret', ({ answer }) => answer?.at),
  text('Svaret leveret', 14, ({ answer }) => answer?.delivery && DELIVERIES[answer.delivery]),
  number('Alder i timer', ({ ageHours }) => ageHours),
  text('Forsinket', 10, ({ late }) => yes(late)),
  text('Foreslået sag', 18, ({ suggestion }) => suggestion?.caseId),
  text('Grundlag for forslag', 30, ({ suggestion }) => suggestion && BASES[suggestion.basis]),
  text('Hvem svarer', 20, ({ suggestion }) =>
    suggestion && suggestion.basis !== 'sag-forslag' ? SENDERS[suggestion.sender] : null,
  ),
  text('Svarende part', 20, ({ suggestion }) => suggestion?.party && PARTIES[suggestion.party]),
  text('Advarsel', 34, ({ suggestion }) => suggestion?.warning && WARNINGS[suggestion.warning]),
  text('Sagens status', 10, ({ suggestion }) => suggestion?.caseStatus && CASE_STATUSES[suggestion.caseStatus]),
  text('Sagen flyttet til kommune', 14, ({ suggestion }) => suggestion?.movedTo),
  text('Sagen flyttet fra kommune', 14, ({ suggestion }) => suggestion?.movedFrom),
  text('Sagens sagsbehandler', 22, ({ suggestion }) => suggestion?.caseworker),
  text('Sagens team', 18, ({ suggestion }) => suggestion?.team),
  text('Tildelt medarbejder', 22, ({ assignee }) => (assignee?.kind === 'user' ? assignee.id : null)),
  text('Tildelt team', 18, ({ assignee }) => (assignee?.kind === 'team' ? assignee.id : null)),
  number('Bilag', ({ attachmentCount }) => attachmentCount),
  text('Lyd eller video', 10, ({ hasMedia }) => yes(hasMedia)),
  text('Mulig underretning', 12, ({ concern }) => yes(concern !== null)),
  time('Vurderes senest', ({ concern }) => concern?.assessBy),
  time('Vurderet', ({ concern }) => concern?.assessedAt),
  time('Bekræftes senest', ({ concern }) => concern?.confirmBy),
  time('Bekræftet', ({ concern }) => concern?.confirmedAt),
  text('Afvist – årsag', 18, ({ rejection }) => rejection && REASONS[rejection.reason]),
  text('Afvist – begrundelse', 40, ({ rejection }) => rejection?.explanation),
  text('Afvist – udfald', 22, ({ rejection }) => rejection && outcomeIn(rejection)),
  text('Afvist – videre til', 24, ({ rejection }) => rejection?.outcome?.forwardedTo?.name),
  text('Afvist – afsender underrettet', 14, ({ rejection }) => yes(rejection?.outcome?.senderInformed)),
  time('Afvist – udfald oplyst', ({ rejection }) => rejection?.outcome?.at),
  text('Afvist – udfald oplyst af', 22, ({ rejection }) => rejection?.outcome?.by),
  number('Bemærkninger', ({ remarks }) => remarks.length),
  text('Meddelelses-id', 38, ({ externalId }) => externalId),
  text('Id', 38, ({ id }) => id),
];
