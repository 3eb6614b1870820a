import { OPERATIONS, type Operation } from '@indbakke/shared/api';
import type { Answer, Bind, Call } from '@indbakke/shared/http';
import { createExtract, deleteExtract, type ExtractParts, listExtracts, readExtract } from './extracts.js';
import { rememberOwner } from './owner.js';
import { sendExtract } from './send-extract.js';

/** Standing extracts: searches that are made into Excel files at set times. Each call keeps the rights of its caller. */
export function bindExtracts(bind: Bind, parts: ExtractParts): void {
  const bindToOwner = <O extends Operation>(operation: O, handle: (call: Call<O>) => Answer<O>) =>
    bind(operation, (async (call: Call<O>) => {
      await rememberOwner(parts.store, call.principal, call.at);
      return handle(call);
    }) as (call: Call<O>) => Answer<O>);

  bindToOwner(OPERATIONS.createExtract, (call) => createExtract(parts, call, call.body));
  bindToOwner(OPERATIONS.listExtracts, ({ principal }) => listExtracts(parts, principal));
  bindToOwner(OPERATIONS.getExtract, ({ principal, params }) => readExtract(parts, principal, params.extractId));
  bindToOwner(OPERATIONS.deleteExtract, (call) => deleteExtract(parts, call, call.params.extractId));
  bindToOwner(OPERATIONS.downloadExtract, (call) => sendExtract(parts, call));
}
