// The receiver of webhooks: verifies each one, saves it, and only then acknowledges it, until it is killed.

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import type { HookOrder } from './children.js';
import { mend, type Received, save } from './lines.js';

process.on('disconnect', () => process.exit()); // the harness is gone
process.on('message', ({ port, secrets, file }: HookOrder) => {
  mend(file);
  const server = createServer(async (req, res) => {
    const municipality = req.url?.slice(1) ?? '';
    const headers = req.headers as Record<string, string>;
    const body = await text(req).catch(() => undefined);
    if (body === undefined) return; // its sender is gone
    const isSigned = verifies(secrets[municipality] ?? '', body, headers);
    // That a webhook works again tells of no event: then these are undefined.
    const { data } = JSON.parse(body) as { data: Omit<Received, 'municipality' | 'webhookId' | 'isSigned'> };
    const { position, id, messageId, version, status } = data;
    const webhookId = headers['webhook-id'] ?? '';
    save(file, [{ municipality, webhookId, isSigned, position, id, messageId, version, status } satisfies Received]);
    res.writeHead(isSigned ? 204 : 400).end();
  });
  server.listen(port, '127.0.0.1');
});
process.send?.('ready');

function verifies(secret: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}
