// Rival (b), a plain implementation: express.text, xml2js, fs.writeFile, Prisma. It does less: no sealing, no fsync, no
// duplicates, no checks, no audit.

import { createServer } from 'node:http';
import express from 'express';
import { listenAndReport } from '../report-ready.js';
import { xml2js } from './packages.js';
import { openPlainStore, type PlainMessage, writePlainly } from './plain-memo.js';

const store = openPlainStore();
const app = express();
app.use(express.text({ type: ['application/xml', 'text/xml'], limit: '1gb' }));
app.post('/sf1606/PostModtag', async (req, res) => {
  const { Message } = (await xml2js.parseStringPromise(req.body as string, {
    explicitArray: false,
    ignoreAttrs: true,
    tagNameProcessors: [xml2js.processors.stripPrefix],
  })) as { Message: PlainMessage };
  const transmissionId = await writePlainly(store, Message);
  res.json({ transmissionId, receiptStatus: 'COMPLETED' });
});

await listenAndReport(createServer(app));
