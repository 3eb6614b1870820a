// A process that sends one webhook to a URL and prints what came of it: one that trusts the certificates of NODE_EXTRA_CA_CERTS,
// which Node reads when it starts. Arguments: the URL, and what is allowed.

import { send } from '../../dist/webhooks/send.js';
import { createTargets } from '../../dist/webhooks/targets.js';

const [url, ...allow] = process.argv.slice(2);
const { status, error } = await send(createTargets(allow), { url, headers: {}, body: '{}' });
process.stdout.write(JSON.stringify({ status, error }));
