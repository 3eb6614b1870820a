import type { DocumentSummary } from '@indbakke/shared/api';
import { nameOfSender } from '@indbakke/shared/danish-words';
import type { ComponentChildren } from 'preact';
import { Foreign } from '../foreign.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { Link } from '../router.js';
import { WORDS } from '../words.js';
import { ConcernClocks, ReplyClock } from './clocks.js';
import { LIST_WORDS } from './words.js';

export const COLUMN_TEXTS = inBoth({
  da: {
    receivedAt: 'Modtaget',
    letterAt: 'Brevdato',
    subject: 'Emne',
    sender: 'Afsender',
    concerning: 'Vedrører',
    kind: 'Type',
    contactPoint: 'Kontaktpunkt',
    suggestion: 'Foreslået sag',
    caseworker: 'Sagens sagsbehandler',
    assignee: 'Tildelt',
    concern: 'Underretning',
    replyBy: 'Svarfrist',
    attachments: 'Bilag',
    status: 'Status',
    late: 'Forsinket',
    answer: 'Besvaret',
    channel: 'Kanal',
    size: 'Størrelse',
  },
  en: {
    receivedAt: 'Received',
    letterAt: 'Letter date',
    subject: 'Subject',
    sender: 'Sender',
    concerning: 'Concerning',
    kind: 'Kind',
    contactPoint: 'Contact point',
    suggestion: 'Suggested case',
    caseworker: 'Caseworker of the case',
    assignee: 'Assigned to',
    concern: 'Report of concern',
    replyBy: 'Reply by',
    attachments: 'Attachments',
    status: 'Status',
    late: 'Late',
    answer: 'Answered',
    channel: 'Channel',
    size: 'Size',
  },
});

export type ColumnId = keyof typeof COLUMN_TEXTS.da;

interface CellProps {
  readonly letter: DocumentSummary;
  readonly now: number;
}

const Quiet = ({ children }: { readonly children: ComponentChildren }) => <p class="quiet">{children}</p>;

function Time({ at }: { readonly at: string }) {
  return <time dateTime={at}>{useFormat().time(at)}</time>;
}

function Subject({ letter }: CellProps) {
  const words = useTexts(LIST_WORDS);
  const { id, subject, concern, remarks, legalHold, contentRemovedAt } = letter;
  const notes = [
    concern && words.concern,
    legalHold && words.hold,
    contentRemovedAt && words.contentRemoved,
    remarks.length > 0 && words.remarks(remarks.length),
  ].filter((note): note is string => typeof note === 'string');
  return (
    <>
      <Link to={`/letters/${id}`}>
        <Foreign>{subject || words.noSubject}</Foreign>
      </Link>
      {notes.length > 0 && <Quiet>{notes.join(' · ')}</Quiet>}
    </>
  );
}

function Sender({ letter: { sender } }: CellProps) {
  return (
    <>
      <Foreign>{nameOfSender(sender)}</Foreign>
      {sender.representative?.name && (
        <Quiet>
          v/ <Foreign>{sender.representative.name}</Foreign>
        </Quiet>
      )}
    </>
  );
}

/** With the channel, where it is not the usual one. */
function Kind({ letter }: CellProps) {
  const { kind, channel } = useTexts(WORDS);
  return (
    <>
      {kind[letter.kind]}
      {letter.channel !== 'sf1606' && <Quiet>{channel[letter.channel]}</Quiet>}
    </>
  );
}

function Suggestion({ letter: { suggestion } }: CellProps) {
  const words = useTexts(LIST_WORDS);
  if (!suggestion) return null;
  const { caseId, basis, sender, party, warning, caseStatus } = suggestion;
  const who = party ? `${words.sender[sender]} (${words.party[party]})` : words.sender[sender];
  const why = basis === 'sag-forslag' ? [words.basis[basis]] : [words.basis[basis], who];
  const alarms = [warning && words.warning[warning], caseStatus && words.caseStatus[caseStatus]].filter(Boolean);
  return (
    <>
      <Foreign>{caseId}</Foreign>
      <Quiet>{why.join(', ')}</Quiet>
      {alarms.length > 0 && (
        <p class="clock-over">
          <span aria-hidden="true">⚠ </span>
          {alarms.join('. ')}
        </p>
      )}
    </>
  );
}

function Assignee({ letter: { assignee } }: CellProps) {
  const words = useTexts(LIST_WORDS);
  if (!assignee) return null;
  return (
    <>
      {assignee.kind === 'team' && `${words.team} `}
      <Foreign>{assignee.id}</Foreign>
    </>
  );
}

function Status({ letter }: CellProps) {
  const { status } = useTexts(WORDS);
  const words = useTexts(LIST_WORDS);
  const format = useFormat();
  const { rejection, heldCause, deletion } = letter;
  return (
    <>
      <span class={`state state-${letter.status}`}>{status[letter.status]}</span>
      {heldCause && <Quiet>{words.heldCause[heldCause]}</Quiet>}
      {rejection && (
        <Quiet>
          {words.reason[rejection.reason]}
          {!rejection.outcome && `, ${words.outcomeMissing}`}
        </Quiet>
      )}
      {deletion && (
        <Quiet>
          {words.deletion[deletion.state]} {deletion.dueAt && format.time(deletion.dueAt)}
        </Quiet>
      )}
    </>
  );
}

function Attachments({ letter: { attachmentCount, hasMedia } }: CellProps) {
  const words = useTexts(LIST_WORDS);
  return (
    <>
      {attachmentCount > 0 && attachmentCount}
      {hasMedia && <Quiet>{words.media}</Quiet>}
    </>
  );
}

function Late({ letter }: CellProps) {
  const words = useTexts(LIST_WORDS);
  return letter.late ? words.late : null;
}

interface Column {
  readonly Cell: (props: CellProps) => ComponentChildren;
  readonly isNumber?: true;
  /** The order of the list by it. */
  readonly sort?: 'receivedAt' | 'letterAt' | 'replyBy' | 'concernDue';
}

export const COLUMNS: Record<ColumnId, Column> = {
  receivedAt: { Cell: ({ letter }) => <Time at={letter.receivedAt} />, sort: 'receivedAt' },
  letterAt: { Cell: ({ letter }) => useFormat().day(letter.letterAt), sort: 'letterAt' },
  subject: { Cell: Subject },
  sender: { Cell: Sender },
  concerning: {
    Cell: ({ letter: { concerning } }) => concerning && <Foreign>{concerning.name ?? concerning.id ?? ''}</Foreign>,
  },
  kind: { Cell: Kind },
  contactPoint: {
    Cell: ({ letter: { contactPoint } }) => contactPoint && <Foreign>{contactPoint.name ?? contactPoint.id}</Foreign>,
  },
  suggestion: { Cell: Suggestion },
  caseworker: { Cell: ({ letter }) => letter.suggestion?.caseworker },
  assignee: { Cell: Assignee },
  concern: { Cell: ConcernClocks, sort: 'concernDue' },
  replyBy: { Cell: ReplyClock, sort: 'replyBy' },
  attachments: { Cell: Attachments, isNumber: true },
  status: { Cell: Status },
  late: { Cell: Late },
  answer: { Cell: ({ letter }) => letter.answer && <Time at={letter.answer.at} /> },
  channel: { Cell: ({ letter }) => useTexts(WORDS).channel[letter.channel] },
  size: { Cell: ({ letter }) => useFormat().size(letter.contentSize), isNumber: true },
};

/** What somebody sees who has chosen nothing. */
export const USUAL_COLUMNS: readonly ColumnId[] = [
  'receivedAt',
  'subject',
  'sender',
  'concerning',
  'kind',
  'contactPoint',
  'suggestion',
  'assignee',
  'concern',
  'replyBy',
  'attachments',
  'status',
];
