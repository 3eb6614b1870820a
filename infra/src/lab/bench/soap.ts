import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import { postOnce } from './client.js';
import { alternate, median, millisecondsOf, rounded, spread } from './measure.js';
import { bigCopies, bigEnvelopes, type Copies, REST_PATH } from './memos.js';
import type { Place } from './place.js';

const SOAP = 'ours over SOAP';
const REST = 'ours over REST';
const PLAIN = 'the soap package';
const SOAP_PATH = '/sf1606/soap';

export const soap: Bench = {
  name: 'soap',
  measures: 'One MeMo of 104 MB over SOAP, against REST and the soap package.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const [memos, envelopes] = [await bigCopies(), await bigEnvelopes()];
    const ours = await place.start('ours/receiver');
    const wsdl = join(place.folder('rivals'), 'service.wsdl');
    await writeFile(wsdl, await (await fetch(`${ours.url}${SOAP_PATH}?wsdl`)).text());
    const plain = await place.start('rivals/plain-soap', {
      env: { WSDL: wsdl },
      nodeOptions: ['--max-old-space-size=12000'],
    });

    const send = (url: string, path: string, copies: Copies, type: string) => () =>
      millisecondsOf(() => postOnce(url, path, copies.next(), type));
    const [overSoap, overRest, withPackage] = [
      { name: SOAP, measure: send(ours.url, SOAP_PATH, envelopes, 'text/xml') },
      { name: REST, measure: send(ours.url, REST_PATH, memos, 'application/xml') },
      { name: PLAIN, measure: send(plain.url, SOAP_PATH, envelopes, 'text/xml') },
    ] as const;
    const close = await alternate([overSoap, overRest], 2 * size.rounds);
    const slow = await alternate([overSoap, withPackage], size.quick ? 1 : 2, 0);

    const ratio = rounded(median(close(SOAP)) / median(close(REST)));
    return {
      columns: ['', 'ms, median (least–most)', 'rounds'],
      rows: [SOAP, REST, PLAIN].map((name) => {
        const times = name === PLAIN ? slow(name) : close(name);
        return [name, spread(times), String(times.length)];
      }),
      figures: {
        ratio_to_limit: ratio,
        times_faster_than_plain: rounded(median(slow(PLAIN)) / median(slow(SOAP)), 1),
      },
      goals: [atMost('time, of REST', ratio, 1.2, ' ×')],
      notes: ['The soap package reads the whole body, then writes as (b) does. It uses our WSDL.'],
    };
  },
};
