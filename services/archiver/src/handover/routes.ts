import { OPERATIONS } from '@indbakke/shared/api';
import { type Bind, changeOf } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import type { ArchiverConfig } from '../config.js';
import { listHandovers } from './list.js';
import { offerHandover, refuseHandover, withdrawHandover } from './offers.js';
import { takeHandover } from './take.js';

export function bindHandover(
  bind: Bind,
  parts: Parts,
  { SMALL_CONTENT_BYTES: smallBytes }: Pick<ArchiverConfig, 'SMALL_CONTENT_BYTES'>,
): void {
  bind(OPERATIONS.offerHandover, (call) => offerHandover(parts, changeOf(call), call.body));
  bind(OPERATIONS.withdrawHandover, (call) => withdrawHandover(parts, changeOf(call)));
  bind(OPERATIONS.listHandovers, ({ principal, query, at }) => listHandovers(parts, principal, query, at));
  bind(OPERATIONS.takeHandover, ({ principal, params: { handoverId }, at }) =>
    takeHandover(parts, { principal, handoverId, at }, smallBytes),
  );
  bind(OPERATIONS.refuseHandover, ({ principal, params: { handoverId }, body, at }) =>
    refuseHandover(parts, principal, handoverId, body, at),
  );
}
