import { randomBytes, randomUUID } from 'node:crypto';
import { type MemoSpec, type MemoSpecDocument, type ReplyEntry, textDocument } from '../testkit/write-memo.js';
import { CASES, CHILD, CONTACT_POINT, FATHER, MOTHER, MUNICIPALITY, SCHOOL, SHOP } from './people.js';

/** A MeMo with an id and a subject, by which the acts find it again. */
export type DayMemo = MemoSpec & { readonly messageUUID: string; readonly subject: string };

/** What the municipality has sent from its cases. Digital Post puts these ids in a reply. */
export const SENT = {
  meeting: { messageUUID: randomUUID(), messageId: 'BREV-1001-1', caseId: CASES.child.caseId, recipientId: MOTHER.id },
  schoolPlan: {
    messageUUID: randomUUID(),
    messageId: 'BREV-1002-1',
    caseId: CASES.school.caseId,
    recipientId: MOTHER.id,
  },
  /** The core registers it after the reply has arrived. */
  hearing: { messageUUID: randomUUID(), messageId: 'BREV-1001-2', caseId: CASES.child.caseId, recipientId: FATHER.id },
};

/** The files of the reply to the hearing, under their names in the zip. */
export const HEARING_FILES = {
  'Svar på partshøring.pdf': pdf(180_000),
  'Svar på partshøring.txt': Buffer.from(
    'Jeg er enig i forslaget, på nær punkt 3. Se bilagene. Venlig hilsen Prøve Prøvesen\n',
  ),
  'bilag/Udtalelse fra børnehaven Mælkebøtten.pdf': pdf(320_000),
  'bilag/Værelset på første sal.jpg': randomBytes(90_001),
  'bilag/Årsopgørelse.pdf': pdf(40_000),
  'bilag/Årsopgørelse (2).pdf': pdf(50_000), // sent with the same name as the one before
};

export const MEMOS = {
  meetingAnswer: memo({
    subject: 'Svar: Indkaldelse til møde',
    sender: MOTHER,
    replyData: answerTo(SENT.meeting),
    documents: [textDocument('Kære kommune. Jeg kommer til mødet på torsdag. Venlig hilsen Test Testesen')],
  }),
  fatherOnCaseNumber: memo({
    subject: 'Svar: Orientering fra sidste år',
    sender: FATHER,
    // A message that was never registered, but its case was.
    replyData: answerTo({
      ...SENT.meeting,
      messageUUID: randomUUID(),
      messageId: 'BREV-ÆLDRE-7',
      recipientId: FATHER.id,
    }),
    documents: [textDocument('Jeg har flyttet adresse, så skriv venligst til mig på den nye.')],
  }),
  schoolForMother: memo({
    subject: 'Svar: Plan for skolestart',
    sender: SCHOOL,
    // Digital Post gave the message a new messageUUID; its id in the case system is unchanged.
    replyData: answerTo({ ...SENT.schoolPlan, messageUUID: randomUUID() }),
    documents: [textDocument('Skolen svarer på morens vegne: Planen kan følges fra på mandag.')],
  }),
  hearingAnswer: memo({
    subject: 'Svar: Partshøring om støtte i hjemmet',
    sender: FATHER,
    replyData: answerTo({ ...SENT.hearing, caseId: undefined, messageId: undefined }),
    documents: hearingDocuments(),
  }),
  answerToNothing: memo({
    subject: 'Svar: Et brev fra jer',
    sender: MOTHER,
    replyData: answerTo({
      messageUUID: randomUUID(),
      recipientId: MOTHER.id,
      messageId: 'ANDET-1',
      caseId: 'ANDEN-SAG',
    }),
    documents: [textDocument('Jeg kan ikke finde jeres brev igen. Kan I sende det en gang til?')],
  }),
  enquiry: memo({
    subject: 'Bekymring for et barn i børnehaven',
    sender: SCHOOL,
    contactPointId: CONTACT_POINT,
    contactInfo: [{ label: 'Barnets CPR-nummer', value: CHILD.cpr }],
    concerning: CHILD,
    documents: [textDocument('Vi er blevet opmærksomme på, at barnet ofte bliver hentet for sent. Ring gerne til os.')],
  }),
  question: memo({
    subject: 'Spørgsmål om aflastning',
    sender: MOTHER,
    contactPointId: CONTACT_POINT,
    documents: [textDocument('Hvordan søger jeg om aflastning i weekenden?')],
  }),
  forwarded: memo({
    subject: 'Videresendt: Brev fra sygehuset',
    sender: FATHER,
    forwardedFrom: 'Eksempel Sygehus',
    documents: [{ files: [{ name: 'Epikrise.pdf', type: 'application/pdf', content: pdf(70_000) }] }],
  }),
  advertisement: memo({
    subject: 'Tilbud på kontorstole og hæve-sænkeborde',
    sender: SHOP,
    documents: [{ files: [{ name: 'Prisliste på møbler.pdf', type: 'application/pdf', content: pdf(60_000) }] }],
  }),
};

/** A second message with the same id: a person must decide which one is real. */
export const CONFLICTING: DayMemo = {
  ...MEMOS.meetingAnswer,
  subject: 'Svar: Indkaldelse til møde (ændret)',
  documents: [textDocument('Kære kommune. Jeg kommer ikke til mødet. Venlig hilsen Test Testesen')],
};

export const TO_A_CITIZEN = memo({ subject: 'Til en borger', recipient: { id: MOTHER.id, idType: 'CPR' } });
export const NEMSMS = memo({ subject: 'Husk din tid i morgen', messageType: 'NEMSMS' });

function memo(spec: MemoSpec & { readonly subject: string }): DayMemo {
  return { messageUUID: randomUUID(), createdDateTime: wholeSeconds(new Date()), ...spec };
}

/** MeMo 1.2, ReplyData: the entry of the sent message as Digital Post returns it, and one of the reply. */
function answerTo(sent: {
  readonly messageUUID: string;
  readonly messageId: string | undefined;
  readonly caseId: string | undefined;
  readonly recipientId: string;
}): ReplyEntry[] {
  const { messageUUID, messageId, caseId, recipientId } = sent;
  const ours = { messageUUID, senderID: MUNICIPALITY.cvr, recipientID: recipientId, generatingSystemID: 'DUBU' };
  return [
    {
      ...ours,
      ...(messageId !== undefined && { messageID: messageId }),
      ...(caseId !== undefined && { caseID: caseId }),
    },
    { messageUUID: randomUUID(), replyUUID: messageUUID, senderID: recipientId, recipientID: MUNICIPALITY.cvr },
  ];
}

function hearingDocuments(): MemoSpecDocument[] {
  const files = Object.entries(HEARING_FILES).map(([path, content]) => {
    const name = path.replace('bilag/', '').replace(' (2)', '');
    return { path, file: { name, type: typeOf(name), content } };
  });
  const isAttached = ({ path }: { path: string }) => path.startsWith('bilag/');
  return [
    { label: 'Svar på partshøring', files: files.filter((entry) => !isAttached(entry)).map(({ file }) => file) },
    ...files.filter(isAttached).map(({ file }) => ({ label: file.name, files: [file] })),
  ];
}

function typeOf(name: string): string {
  if (name.endsWith('.pdf')) return 'application/pdf';
  return name.endsWith('.jpg') ? 'image/jpeg' : 'text/plain';
}

/** Random bytes between the start and the end of a PDF. */
function pdf(size: number): Buffer {
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(size), Buffer.from('\n%%EOF\n')]);
}

/** MeMo 1.2, DateTime: in UTC, without fractions. */
function wholeSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
