import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { REST_PATH } from '../../testkit/deliver.js';
import { type MemoSpec, textDocument, writeMemo } from '../../testkit/write-memo.js';
import type { Plants } from './plants.js';

const SOAP_PATH = '/sf1606/soap';
const BOUNDARY = 'boundary';

export interface Endpoint {
  readonly name: string;
  readonly path: string;
  readonly contentType: string;
  readonly wrap: (xml: Buffer) => Buffer;
}

const around = (before: string, xml: Buffer, after: string) =>
  Buffer.concat([Buffer.from(before), xml, Buffer.from(after)]);

export const ENDPOINTS: readonly Endpoint[] = [
  { name: 'REST', path: REST_PATH, contentType: 'application/xml', wrap: (xml) => xml },
  {
    name: 'form',
    path: REST_PATH,
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    wrap: (xml) =>
      around(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="memo.xml"\r\nContent-Type: application/xml\r\n\r\n`,
        xml,
        `\r\n--${BOUNDARY}--\r\n`,
      ),
  },
  {
    name: 'SOAP',
    path: SOAP_PATH,
    contentType: 'text/xml; charset=utf-8',
    wrap: (xml) =>
      around(
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><PostModtagRequest xmlns="urn:indbakke:sf1606:1">',
        Buffer.from(xml.toString('latin1').replace(/^<\?xml[^>]*\?>\s*/, ''), 'latin1'),
        '</PostModtagRequest></s:Body></s:Envelope>',
      ),
  },
];

/** Documents from Fordelingskomponenten: whole envelopes. */
export const SF2900: Endpoint = {
  name: 'SF2900',
  path: '/sf2900/soap',
  contentType: 'text/xml; charset=utf-8',
  wrap: (xml) => xml,
};

/** A delivery that is refused, or kept although it has faults; planted in each place that an error may quote. */
export interface BadDelivery {
  readonly what: string;
  readonly xml: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param maxBytes over which a delivery is too large */
export function badDeliveries(plants: Plants, maxBytes: number): BadDelivery[] {
  const bad = (
    what: string,
    change: (xml: string, plant: () => string) => string,
    spec: MemoSpec = {},
  ): BadDelivery => {
    const plant = () => plants.word(`delivery: ${what}`);
    const memo = { ...plantedMemo(plants, `delivery: ${what}`), ...spec };
    return { what, xml: Buffer.from(change(writeMemo(memo).toString(), plant)) };
  };
  const header = '<memo:MessageHeader>';
  return [
    bad('not XML', (_xml, plant) => `${plants.number('delivery: not XML')} ${plant()}`),
    bad('an ampersand', (xml, plant) => xml.replace(header, `${header}<memo:label>${plant()} & co</memo:label>`)),
    bad('a wrong end tag', (xml, plant) => xml.replace('</memo:Sender>', `</memo:${plant()}>`)),
    bad('an attribute without quotes', (xml, plant) =>
      xml.replace(header, `<memo:MessageHeader ${plant()}=${plant()}>`),
    ),
    bad('an unbound prefix', (xml, plant) => xml.replace(header, `${header}<x${plant()}:a/>`)),
    bad('half a character', (xml, plant) =>
      xml.replace(header, `${header}<memo:label>${plant()}&#xD800;</memo:label>`),
    ),
    bad('an entity', (xml, plant) => xml.replace(header, `${header}&x${plant()};`)),
    bad('a document type', (xml, plant) =>
      xml.replace('<memo:Message', `<!DOCTYPE x${plant()} SYSTEM "${plant()}"><memo:Message`),
    ),
    bad('an instruction', (xml, plant) => xml.replace(header, `<?xml-${plant()} ${plant()}?>${header}`)),
    bad('a reserved name', (xml, plant) => xml.replace(header, `${header}<__proto__>${plant()}</__proto__>`)),
    bad('another root', (_xml, plant) => `<x${plant()} xmlns="urn:${plant()}">${plant()}</x${plant()}>`),
    bad('a namespace of its own', (xml, plant) => xml.replace(/xmlns:memo="[^"]*"/, `xmlns:memo="urn:${plant()}"`)),
    bad('no messageUUID', (xml) => xml.replace(/<memo:messageUUID>[^<]*/, '<memo:messageUUID>')),
    bad('a messageUUID that is text', (xml, plant) => xml.replace(/(<memo:messageUUID>)[^<]*/, `$1${plant()}`)),
    bad('content that is not base64', (xml, plant) => xml.replace(/(<memo:content>)[^<]*/, `$1${plant()}!`)),
    bad('an element in the content', (xml, plant) => xml.replace(/(<memo:content>)/, `$1<x${plant()}/>`)),
    bad('a citizen as recipient', (xml) =>
      xml.replace(`>${EXAMPLE_MUNICIPALITY.cvr}<`, `>${plants.number('delivery: recipient')}<`),
    ),
    bad('a name as recipient', (xml, plant) => xml.replace(`>${EXAMPLE_MUNICIPALITY.cvr}<`, `>${plant()}<`)),
    bad('an unknown recipient', (xml) => xml.replace(`>${EXAMPLE_MUNICIPALITY.cvr}<`, '>99999999<')),
    bad('NemSMS', (xml) => xml, { messageType: 'NEMSMS' }),
    bad('an unknown contact point', (xml) => xml, { contactPointId: randomUUID() }),
    bad('a contact point that is text', (xml) => xml, { contactPointId: plants.word('delivery: contact point') }),
    bad('wrong values', (xml, plant) =>
      xml
        .replace('DIGITALPOST', plant())
        .replace('2026-11-02T08:12:00Z', plant())
        .replace('<memo:Sender>', `<memo:priority>${plant()}</memo:priority><memo:Sender>`),
    ),
    bad('too much markup', (xml, plant) => xml.replace(header, `${header}<!--${plant()}${'x'.repeat(1_100_000)}-->`)),
    bad('too many bytes', (xml) => xml, { documents: [textDocument('x'.repeat(maxBytes))] }),
    { ...bad('not UTF-8', (xml) => xml), xml: latin1(plants) },
    {
      ...bad('headers', (xml) => xml),
      headers: {
        'x-transaktionsid': plants.word('header x-TransaktionsId'),
        'x-transaktionstid': plants.word('header x-TransaktionsTid'),
        traceparent: plants.word('header traceparent'),
        tracestate: `a=${plants.word('header tracestate')}`,
        'user-agent': plants.word('header User-Agent'),
        soapaction: plants.word('header SOAPAction'),
        'x-forwarded-for': plants.word('header X-Forwarded-For'), // of another caller: refused
      },
    },
    {
      ...bad('media type', (xml) => xml),
      headers: { 'content-type': `text/${plants.word('header Content-Type')}` },
    },
    {
      ...bad('compression', (xml) => xml),
      headers: { 'content-encoding': plants.word('header Content-Encoding') },
    },
    {
      ...bad('character set', (xml) => xml),
      headers: { 'content-type': `application/xml; charset=${plants.word('charset')}` },
    },
    {
      ...bad('boundary', (xml) => xml),
      headers: { 'content-type': `multipart/form-data; boundary=${plants.word('boundary')}` },
    },
  ];
}

const latin1 = (plants: Plants) =>
  Buffer.from(writeMemo({ subject: `æøå ${plants.word('delivery: not UTF-8')}` }).toString(), 'latin1');

/** All of a message that can be about somebody. */
export function plantedMemo(plants: Plants, what: string): MemoSpec {
  const word = (field: string) => `Bø ${plants.word(`${what}, ${field}`)} "&" <sø>`;
  return {
    messageUUID: randomUUID(),
    subject: word('subject'),
    sender: { id: plants.number(`${what}, sender`), idType: 'CPR', name: word('name of the sender') },
    representative: { id: plants.number(`${what}, representative`), idType: 'CPR', name: word('representative') },
    concerning: { cpr: plants.number(`${what}, concerning`), name: word('name of the citizen concerned') },
    contactPointId: EXAMPLE_MUNICIPALITY.contactPoints[0]?.id as string,
    contactInfo: [{ label: 'Barnets CPR-nummer', value: plants.number(`${what}, contact info`) }],
    replyData: [
      {
        messageUUID: randomUUID(),
        replyUUID: randomUUID(),
        messageID: plants.word(`${what}, reference`),
        senderID: EXAMPLE_MUNICIPALITY.cvr,
        generatingSystemID: 'DUBU',
      },
    ],
    documents: [
      {
        ...textDocument(plants.word(`${what}, content`), `${plants.word(`${what}, file name`)}?.txt`),
        label: word('label of a document'),
      },
    ],
  };
}

/** @returns headers and body of the answer */
export async function deliverTo(
  url: string,
  { path, contentType, wrap }: Endpoint,
  { xml, headers = {} }: Omit<BadDelivery, 'what'>,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': contentType, accept: 'application/json', ...headers },
    body: wrap(xml),
    signal,
  });
  const answer = await response.text();
  // The caller gets its own transaction headers back (SF1601).
  const headersOfAnswer = [...response.headers].filter(([name]) => !name.startsWith('x-transaktions'));
  return `${JSON.stringify(headersOfAnswer)}\n${answer}`;
}

/** What never becomes a call: a request line, a header and a body that end in the middle. */
export async function breakOff(url: string, plants: Plants): Promise<void> {
  const { hostname, port } = new URL(url);
  const host = `Host: ${hostname}\r\n`;
  const word = (what: string) => plants.word(`broken request: ${what}`);
  for (const text of [
    `GET /${word('request line')} HTTP/9.9\r\n\r\n`,
    `GET /x${word('path')} with spaces HTTP/1.1\r\n${host}\r\n`,
    `${word('method')} / HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}${word('header')} ${word('value')}\r\n\r\n`,
    `POST ${REST_PATH} HTTP/1.1\r\n${host}Content-Type: application/xml\r\nContent-Length: 9999\r\n\r\n<x>${word('body')}`,
    `POST ${REST_PATH}?${word('query')} HTTP/1.1\r\n${host}Transfer-Encoding: ${word('transfer encoding')}\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.end(text);
    await once(socket.resume(), 'close');
  }
}
