/** Path of the REST endpoint. */
export const REST_PATH = '/sf1606/PostModtag';

/** Delivers over REST, as Serviceplatformen does; the receipt comes as JSON. */
export function deliver(
  url: string,
  memo: string | Uint8Array,
  { headers, signal }: { headers?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(url + REST_PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/xml', accept: 'application/json', ...headers },
    body: memo,
    ...(signal && { signal }),
  });
}

const ENVELOPE_START =
  '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><PostModtagRequest xmlns="urn:indbakke:sf1606:1">';
const ENVELOPE_END = '</PostModtagRequest></soap:Body></soap:Envelope>';

/** Delivers over SOAP; the fields of the receipt come as JSON, as over REST. */
export async function deliverOverSoap(
  url: string,
  memo: Uint8Array,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Response> {
  const message = Buffer.from(memo)
    .toString('utf8')
    .replace(/^<\?xml[^>]*\?>/, '');
  const response = await fetch(`${url}/sf1606/soap`, {
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '""' },
    body: ENVELOPE_START + message + ENVELOPE_END,
    ...(signal && { signal }),
  });
  const answer = await response.text();
  const fields = [...answer.matchAll(/<(?:\w+:)?(\w+)>([^<]*)<\//g)].map(([, name, value]) => [name, value]);
  return Response.json(Object.fromEntries(fields), { status: response.status });
}
