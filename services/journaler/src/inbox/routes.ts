import { OPERATIONS } from '@indbakke/shared/api';
import { type Bind, changeOf } from '@indbakke/shared/http';
import { assign, journalize, takeBack, unassign } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import type { JournalerConfig } from '../config.js';
import { changeMany } from './bulk.js';
import { markConcern, recordAssessment, recordConfirmation, unmarkConcern } from './concern.js';
import { listDocuments, listIds } from './list.js';
import { readDocument } from './read.js';
import { readText } from './read-text.js';
import { release } from './release.js';
import { sendFile } from './send-file.js';
import { summarizeDocuments } from './summary.js';

/** The inbox: the list, a single message, and what a caseworker does with it. */
export function bindInbox(bind: Bind, parts: Parts, config: JournalerConfig): void {
  const { store } = parts;
  const allowsUnknownCases = config.JOURNALIZE_UNKNOWN_CASES === 'allow';
  bind(OPERATIONS.listIncomingDocuments, ({ principal, query, at }) =>
    listDocuments(parts, principal, query, {
      listing: { action: 'list', at },
      scanning: parts.scanning,
      path: 'query.cursor',
    }),
  );
  bind(OPERATIONS.searchIncomingDocuments, ({ principal, body, at }) =>
    listDocuments(parts, principal, body, {
      listing: { action: 'search', at },
      scanning: parts.scanning,
      path: 'body.cursor',
    }),
  );
  bind(OPERATIONS.listIncomingDocumentIds, ({ principal, body, at }) =>
    listIds(parts, principal, body, { listing: { action: 'list-ids', at }, path: 'body.cursor' }),
  );
  bind(OPERATIONS.summarizeIncomingDocuments, ({ principal, query, at }) =>
    summarizeDocuments(store, principal, query, at),
  );
  bind(OPERATIONS.getIncomingDocument, ({ principal, params, at }) => readDocument(parts, principal, params.id, at));
  bind(OPERATIONS.downloadFile, (call) => sendFile(parts, call));
  bind(OPERATIONS.readText, ({ principal, params, at }) => readText(parts, principal, params.id, at));
  bind(OPERATIONS.assignIncomingDocument, (call) => assign(store, changeOf(call), call.body));
  bind(OPERATIONS.unassignIncomingDocument, (call) => unassign(store, changeOf(call)));
  bind(OPERATIONS.releaseIncomingDocument, (call) => release(store, changeOf(call)));
  bind(OPERATIONS.journalizeIncomingDocument, (call) =>
    journalize(parts, changeOf(call), call.body, allowsUnknownCases),
  );
  bind(OPERATIONS.bulkChangeIncomingDocuments, (call) => changeMany(parts, call, allowsUnknownCases));
  bind(OPERATIONS.takeBackJournalization, (call) => takeBack(store, changeOf(call), call.body));
  bind(OPERATIONS.markConcern, (call) => markConcern(store, changeOf(call)));
  bind(OPERATIONS.unmarkConcern, (call) => unmarkConcern(store, changeOf(call)));
  bind(OPERATIONS.recordAssessment, (call) => recordAssessment(store, changeOf(call)));
  bind(OPERATIONS.recordConfirmation, (call) => recordConfirmation(store, changeOf(call)));
}
