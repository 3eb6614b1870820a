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
