// Rival (b), the way people would write it: express.text, xml2js, fs.writeFile, Prisma. It promises less: nothing is
// sealed, nothing fsynced, no duplicate found, nothing checked, nothing audited.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { reportReady } from '../report-ready.js';
import { xml2js } from './packages.js';
import { keepPlainly, openPlainStore, type PlainMessage } from './plain-memo.js';

const store = openPlainStore();
const app = express();
app.use(express.text({ type: ['application/xml', 'text/xml'], limit: '1gb' }));
app.post('/sf1606/PostModtag', async (req, res) => {
  const { Message } = (await xml2js.parseStringPromise(req.body as string, {
    explicitArray: false,
    ignoreAttrs: true,
    tagNameProcessors: [xml2js.processors.stripPrefix],
  })) as { Message: PlainMessage };
  const transmissionId = await keepPlainly(store, Message);
  res.json({ transmissionId, receiptStatus: 'COMPLETED' });
});

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
await reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
