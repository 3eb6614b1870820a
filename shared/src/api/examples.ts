import { ERRORS } from '../errors/index.js';

// Examples of answers, which the description shows and a test compares with real ones. Names and numbers are no person’s.

export const MESSAGE_ID = '0197a3b0-0000-7000-8000-000000000001';
export const FILE_ID = '0197a3b0-0000-7000-8000-000000000002';

export const SUMMARY_EXAMPLE = {
  id: MESSAGE_ID,
  externalId: '5f0c8d1e-2f0e-4b5c-8e43-0f4b1c9d5a11',
  version: 2,
  status: 'pending',
  heldCause: null,
  kind: 'reply',
  channel: 'sf1606',
  receivedAt: '2026-11-20T08:00:00.000Z',
  firstOfferedAt: '2026-11-20T07:59:59.000Z',
  letterAt: '2026-11-20T07:58:00.000Z',
  ageHours: 26,
  late: false,
  replyBy: '2026-12-01T23:00:00.000Z',
  replyOverdue: false,
  subject: 'Svar om børnehave',
  sender: { id: '4101019999', idType: 'CPR', name: 'Test Testesen', representative: null },
  concerning: { id: '4101019998', name: null },
  contactPoint: { id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie' },
  suggestion: {
    caseId: 'BF-1',
    basis: 'message-uuid',
    sender: 'recipient-of-the-letter',
    party: 'mother',
    warning: null,
    caseStatus: 'open',
    movedTo: null,
    movedFrom: null,
    caseworker: 'sagsbehandler-1',
    team: 'team-1',
  },
  assignee: { kind: 'user', id: 'sagsbehandler-1' },
  answer: null,
  concern: null,
  documentCount: 1,
  attachmentCount: 0,
  fileCount: 1,
  contentSize: 48_213,
  hasMedia: false,
  rejection: null,
  deletion: null,
  legalHold: false,
  contentRemovedAt: null,
  remarks: [{ code: 'wrong-uuid', path: 'Message/MessageHeader/ReplyData/messageUUID' }],
  allowed: ['journalized', 'rejected', 'assigned', 'unassigned', 'concern-marked', 'legal-hold-set'],
  isTraining: false,
};

export const DOCUMENT_EXAMPLE = {
  ...SUMMARY_EXAMPLE,
  sentAt: '2026-11-20T07:58:00.000Z',
  documents: [
    {
      role: 'main',
      documentId: null,
      label: 'Svar',
      files: [
        {
          id: FILE_ID,
          fileName: 'svar.pdf',
          encodingFormat: 'application/pdf',
          detectedFormat: 'application/pdf',
          language: 'da',
          size: 48_213,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          status: 'stored',
          scan: 'clean',
          scanFinding: null,
          mayOpen: true,
        },
      ],
    },
  ],
  contactInfo: [{ label: 'Barnets navn', value: 'Test Testesen' }],
  distribution: null,
  sentOn: null,
  journalizations: [],
  legalHolds: [],
  handover: null,
  history: [
    { at: '2026-11-20T08:00:00.000Z', action: 'accepted', by: 'Serviceplatformen', details: {} },
    {
      at: '2026-11-20T08:05:00.000Z',
      action: 'assigned',
      by: 'leder-1',
      details: { assigneeKind: 'user', assigneeId: 'sagsbehandler-1' },
    },
  ],
};

export const CHANGED_EXAMPLE = { id: MESSAGE_ID, status: 'pending', version: 3 };

export const COUNTS_EXAMPLE = {
  at: '2026-11-20T10:00:00.000Z',
  total: 12,
  isMore: false,
  status: [{ status: 'pending', count: 12 }],
  kind: [
    { kind: 'reply', count: 8 },
    { kind: 'enquiry', count: 4 },
  ],
  contactPoint: [{ id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie', count: 12 }],
  assignee: [
    { id: 'sagsbehandler-1', count: 5 },
    { id: null, count: 7 },
  ],
  team: [],
  age: [
    { olderThan: 'P0D', count: 9 },
    { olderThan: 'P1D', count: 3 },
    { olderThan: 'P3D', count: 0 },
    { olderThan: 'P7D', count: 0 },
    { olderThan: 'P14D', count: 0 },
    { olderThan: 'P30D', count: 0 },
  ],
  late: 1,
  replyOverdue: 0,
  flagged: 0,
  concern: { open: 1, assessOverdue: 0, confirmOverdue: 0, nextDue: '2026-11-21T08:00:00.000Z' },
  outcomeOpen: 0,
  legalHold: 0,
  deletion: { requested: 0, scheduled: 0, nextDue: null },
  isTraining: false,
};

const FIGURES = {
  received: 40,
  handled: 35,
  waiting: 12,
  hoursToFirstLook: { p50: 3.5, p90: 20.3 },
  hoursToHandling: { p50: 26, p90: null },
};
const FIGURES_OF_CONTACT_POINTS = [
  { ...FIGURES, contactPoint: { id: '241d39f6-998e-4929-b198-ccacbbf4b330', name: 'Børn og familie' } },
];
export const FIGURES_EXAMPLE = {
  at: '2026-11-20T10:00:00.000Z',
  isTraining: false,
  total: FIGURES,
  contactPoints: FIGURES_OF_CONTACT_POINTS,
  days: [{ day: '2026-11-20', total: FIGURES, contactPoints: FIGURES_OF_CONTACT_POINTS }],
};

export const EXTRACT_EXAMPLE = {
  id: '0197a3b0-0000-7000-8000-000000000003',
  name: 'Ikke fordelt',
  filter: { status: ['pending'], view: 'nobodys' },
  sort: 'receivedAt',
  schedule: { every: 'working-day', weekday: null, at: '07:30' },
  keepDays: 7,
  createdAt: '2026-11-19T10:00:00.000Z',
  nextRunAt: '2026-11-23T06:30:00.000Z',
  lapsesAt: '2026-12-04T10:00:00.000Z',
  files: [
    {
      id: '0197a3b0-0000-7000-8000-000000000004',
      dueAt: '2026-11-20T06:30:00.000Z',
      madeAt: '2026-11-20T06:30:02.000Z',
      expiresAt: '2026-11-27T06:30:00.000Z',
      rows: 12,
      isTruncated: false,
      size: 9_870,
    },
  ],
};

export const PROBLEM_EXAMPLE = {
  type: 'urn:indbakke:error:version-changed',
  title: ERRORS['version-changed'].meaning,
  status: ERRORS['version-changed'].http,
  detail: 'The message is now at version 4. Read it again.',
  code: 'version-changed',
  correlationId: '0d7f6a0c-2f0e-4b5c-8e43-0f4b1c9d5a11',
};

export const AUDIT_EXAMPLE = {
  id: '0197a3b0-0000-7000-8000-000000000003',
  at: '2026-11-20T09:12:00.000Z',
  actor: { kind: 'user', id: 'sagsbehandler-1', onBehalfOf: null },
  role: 'IndkomneDokumenter.Læs',
  origin: '192.0.2.1',
  action: 'read-file',
  result: 'done',
  messageId: MESSAGE_ID,
  details: { fileId: FILE_ID },
  position: 41,
};
