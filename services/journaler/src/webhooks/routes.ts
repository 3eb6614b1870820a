import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import { changeWebhook } from '@indbakke/shared/webhooks';
import { listDeliveries, redeliver } from './deliveries.js';
import type { Targets } from './targets.js';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  makeNewSecret,
  readWebhook,
  type WebhookParts,
} from './webhooks.js';

/** Webhooks: where the systems of a municipality have its events sent. */
export function bindWebhooks(
  bind: Bind,
  parts: WebhookParts,
  { targets, wake }: { readonly targets: Targets; readonly wake: () => void },
): void {
  bind(OPERATIONS.createWebhook, async (call) => {
    await targets.check(call.body.url);
    const created = await createWebhook(parts, call, call.body);
    wake();
    return created;
  });
  bind(OPERATIONS.listWebhooks, ({ principal }) => listWebhooks(parts, principal));
  bind(OPERATIONS.getWebhook, ({ principal, params }) => readWebhook(parts, principal, params.webhookId));
  bind(OPERATIONS.changeWebhook, async (call) => {
    if (call.body.url !== undefined) await targets.check(call.body.url);
    await changeWebhook(parts, call, call.params.webhookId, call.body);
    wake();
  });
  bind(OPERATIONS.deleteWebhook, (call) => deleteWebhook(parts, call, call.params.webhookId));
  bind(OPERATIONS.makeWebhookSecret, (call) => makeNewSecret(parts, call, call.params.webhookId));
  bind(OPERATIONS.listWebhookDeliveries, ({ principal, params, query }) =>
    listDeliveries(parts, principal, params.webhookId, query),
  );
  bind(OPERATIONS.redeliverToWebhook, async (call) => {
    const again = await redeliver(parts, call, call.params.webhookId, call.body);
    wake();
    return again;
  });
}
