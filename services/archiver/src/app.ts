import { OPERATIONS } from '@indbakke/shared/api';
import { createApi } from '@indbakke/shared/http';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import type { ArchiverConfig } from './config.js';
import { deleteForGood } from './deletion/delete-for-good.js';
import { reject, reopen } from './rejection/reject.js';
import { createWork } from './worker.js';
import { sendZip } from './zip/send-zip.js';

/** Zip downloads; rejection, and after it deletion. */
export function createArchiver(parts: Parts): Service {
  const { store } = parts;
  const { router, bind } = createApi(parts);

  bind(OPERATIONS.readZip, async ({ principal, params, at, req, res }) => {
    await sendZip(parts, { principal, id: params.id, at }, req, res);
    return undefined;
  });

  bind(OPERATIONS.reject, (call) => reject(store, { ...call, id: call.params.id }, call.body));

  bind(OPERATIONS.reopen, (call) => reopen(store, { ...call, id: call.params.id }));

  bind(OPERATIONS.deleteForGood, (call) => deleteForGood(parts, { ...call, id: call.params.id }));

  return { name: 'archiver', router, ...createWork(parts) };
}

/** Runs the archiver by itself. */
export function startArchiver(config: ArchiverConfig): Promise<Running> {
  return serve(config, 'archiver', [createArchiver]);
}

export { ArchiverConfig } from './config.js';
