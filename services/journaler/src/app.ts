import { OPERATIONS } from '@indbakke/shared/api';
import { createApi } from '@indbakke/shared/http';
import { takeStep } from '@indbakke/shared/inbox';
import { createSuggestCaseEnqueuer } from '@indbakke/shared/queue';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import type { JournalerConfig } from './config.js';
import { keepCase, keepSentMessage } from './core/register.js';
import { assign, unassign } from './inbox/assign.js';
import { journalize, takeBack } from './inbox/journalize.js';
import { listDocuments } from './inbox/list.js';
import { readDocument } from './inbox/read.js';
import { sendFile } from './inbox/send-file.js';
import { lookAgain } from './suggestion/look-again.js';
import { createWork } from './worker.js';

/** Suggests the case, and is the inbox: everything of `/api/v1` that is not the archiver’s. */
export function createJournaler(parts: Parts, config: JournalerConfig): Service {
  const { store, queues, log } = parts;
  const enqueuer = createSuggestCaseEnqueuer(queues, log);
  const { router, bind } = createApi(parts);

  bind(OPERATIONS.listIncomingDocuments, ({ principal, query }) => listDocuments(store, principal, query));

  bind(OPERATIONS.readIncomingDocument, ({ principal, params, at }) => readDocument(store, principal, params.id, at));

  bind(OPERATIONS.readFile, async ({ principal, params, at, req, res }) => {
    await sendFile(parts, { principal, ...params, at }, req, res);
    return undefined;
  });

  bind(OPERATIONS.assign, (call) => assign(store, { ...call, id: call.params.id }, call.body.assignee));

  bind(OPERATIONS.unassign, (call) => unassign(store, { ...call, id: call.params.id }));

  bind(OPERATIONS.release, (call) => takeStep(store, { ...call, id: call.params.id }, 'released'));

  bind(OPERATIONS.journalize, (call) => journalize(store, { ...call, id: call.params.id }, call.body));

  bind(OPERATIONS.takeBack, (call) => takeBack(store, { ...call, id: call.params.id }, call.body));

  bind(OPERATIONS.tellSentMessage, async ({ principal, params, body }) => {
    await keepSentMessage(parts, principal, params.messageUUID, body);
    await lookAgain({ store, enqueuer }, principal.municipality, [
      { kind: 'message-uuid', value: params.messageUUID },
      ...(body.messageId === undefined ? [] : [{ kind: 'message-id' as const, value: body.messageId }]),
    ]);
    return undefined;
  });

  bind(OPERATIONS.tellCase, async ({ principal, params, body }) => {
    await keepCase(parts, principal, params.caseId, body);
    await lookAgain({ store, enqueuer }, principal.municipality, [{ kind: 'case-id', value: params.caseId }]);
    return undefined;
  });

  return { name: 'journaler', router, ...createWork(parts, enqueuer, config) };
}

/** Runs the journaler by itself. */
export function startJournaler(config: JournalerConfig): Promise<Running> {
  return serve(config, 'journaler', [(parts) => createJournaler(parts, config)]);
}

export { JournalerConfig } from './config.js';
