// The soap package as in its README: it listens on the HTTP server, reads the whole body and passes an object to the
// operation, which does the same as rival (b).

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { listenAndReport } from '../report-ready.js';
import { soap } from './packages.js';
import { openPlainStore, type PlainMessage, writePlainly } from './plain-memo.js';

const store = openPlainStore();
const server = createServer((_req, res) => res.writeHead(404).end());
soap.listen(server, {
  path: '/sf1606/soap',
  xml: readFileSync(process.env.WSDL ?? '', 'utf8'),
  enableChunkedEncoding: false,
  services: {
    PostModtagService: {
      PostModtagPort: {
        async PostModtag({ Message }: { Message: PlainMessage }) {
          const transmissionId = await writePlainly(store, Message);
          return { transmissionId, timeStamp: new Date().toISOString(), receiptStatus: 'COMPLETED' };
        },
      },
    },
  },
});
await listenAndReport(server);
