// The soap package as its README has it: it listens on the HTTP server, reads the whole body, and hands the operation an
// object. Then as rival (b).

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportReady } from '../report-ready.js';
import { soap } from './packages.js';
import { keepPlainly, openPlainStore, type PlainMessage } from './plain-memo.js';

const store = openPlainStore();
const server = createServer((_req, res) => res.writeHead(404).end());
server.listen(0, '127.0.0.1');
await once(server, 'listening');

soap.listen(server, {
  path: '/sf1606/soap',
  xml: readFileSync(process.env.WSDL ?? '', 'utf8'),
  enableChunkedEncoding: false,
  services: {
    PostModtagService: {
      PostModtagPort: {
        async PostModtag({ Message }: { Message: PlainMessage }) {
          const transmissionId = await keepPlainly(store, Message);
          return { transmissionId, timeStamp: new Date().toISOString(), receiptStatus: 'COMPLETED' };
        },
      },
    },
  },
});
await reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
