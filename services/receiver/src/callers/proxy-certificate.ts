import type { IncomingMessage } from 'node:http';

/** How a proxy passes on the certificate that it was shown. */
interface Format {
  readonly header: string;
  /** DER of the certificate; undefined when the text is not written as this proxy does. */
  readonly read: (text: string) => Uint8Array<ArrayBuffer> | undefined;
}

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;
const ONE_PEM = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z\d+/=\s]+)-----END CERTIFICATE-----\s*$/;

const fromBase64 = (text: string) =>
  text !== '' && BASE64.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined;

function fromEscapedPem(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const [, body] = ONE_PEM.exec(decodeURIComponent(text)) ?? [];
    return body === undefined ? undefined : fromBase64(body.replace(/\s/g, ''));
  } catch {
    return undefined; // a % that escapes nothing
  }
}

/** Formats by the name of the proxy, each with the directive or the setting that writes it. */
export const FORMATS = {
  // proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
  nginx: { header: 'x-ssl-client-cert', read: fromEscapedPem },
  // auth-tls-pass-certificate-to-upstream: "true"
  'ingress-nginx': { header: 'ssl-client-cert', read: fromEscapedPem },
  // http-request set-header X-SSL-Client-Cert %[ssl_c_der,base64]
  haproxy: { header: 'x-ssl-client-cert', read: fromBase64 },
  // forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: { cert: true }. One element, of this proxy.
  envoy: { header: 'x-forwarded-client-cert', read: fromElement },
  // passTLSClientCert: { pem: true }. The certificate first, then those of its issuers.
  traefik: {
    header: 'x-forwarded-tls-client-cert',
    read: (text) => fromBase64(unescaped(text).split(',')[0] as string),
  },
} as const satisfies Record<string, Format>;

export type ProxyFormat = keyof typeof FORMATS;

/** All headers in which some proxy passes on a certificate. */
const HEADERS = new Set(Object.values(FORMATS).map(({ header }) => header));

/** `Hash=…;Cert="…"`: pairs of one element, whose values may be quoted. More elements would be of other proxies. */
function fromElement(text: string): Uint8Array<ArrayBuffer> | undefined {
  // Names are short: with a name of any length, 32 kB of letters would take a second.
  const pairs = [...text.matchAll(/([A-Za-z]{1,20})=(?:"((?:[^"\\]|\\.)*)"|([^";,]*))(;|$)/g)];
  if (pairs.map(([whole]) => whole).join('') !== text) return undefined;
  const certificates = pairs.filter(([, name]) => name?.toLowerCase() === 'cert');
  const [, , quoted, plain] = certificates[0] ?? [];
  return certificates.length === 1 ? fromEscapedPem(quoted ?? plain ?? '') : undefined;
}

/** Older versions of Traefik escape it as a part of a URL. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export const namesCertificate = (req: IncomingMessage): boolean =>
  Object.keys(req.headers).some((name) => HEADERS.has(name as never));

/**
 * The certificate that a proxy tells of.
 *
 * @returns undefined when it tells of none; nothing that can be read when there are two headers, or one is not as the proxy writes it
 */
export function certificateOfProxy(req: IncomingMessage, format: ProxyFormat): Uint8Array<ArrayBuffer> | undefined {
  const { header, read } = FORMATS[format];
  const values = req.headersDistinct[header] ?? [];
  const [value = ''] = values;
  if (value === '' && values.length < 2) return undefined;
  return (values.length === 1 ? read(value) : undefined) ?? UNREADABLE;
}

const UNREADABLE = new Uint8Array([0]);
