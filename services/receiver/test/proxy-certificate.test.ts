import type { IncomingMessage } from 'node:http';
import { beforeAll, expect, it } from 'vitest';
import { createTestIssuer, type Issued } from '../../../infra/src/testkit/certificates.js';
import { certificateOfProxy, FORMATS, namesCertificate, type ProxyFormat } from '../src/callers/proxy-certificate.js';

let shown: Issued;
let other: Issued;

beforeAll(async () => {
  const issuer = await createTestIssuer();
  [shown, other] = [await issuer.issue(), await issuer.issue()];
});

const callWith = (...headers: [name: string, value: string][]) => {
  const valuesOf = (name: string) => headers.filter(([each]) => each === name).map(([, value]) => value);
  const headersDistinct = Object.fromEntries(headers.map(([name]) => [name, valuesOf(name)]));
  return { headers: Object.fromEntries(headers), headersDistinct } as unknown as IncomingMessage;
};
const readBy = (format: ProxyFormat, ...values: string[]) =>
  certificateOfProxy(callWith(...values.map((value) => [FORMATS[format].header, value] as [string, string])), format);

const escaped = ({ certificate }: Issued) => encodeURIComponent(certificate);
const base64 = ({ der }: Issued) => Buffer.from(der).toString('base64');

it.each<[ProxyFormat, string, () => string]>([
  ['nginx', 'escaped PEM', () => escaped(shown)],
  ['ingress-nginx', 'escaped PEM', () => escaped(shown)],
  ['haproxy', 'DER in base64', () => base64(shown)],
  [
    'envoy',
    'a pair among others',
    () => `By=spiffe://a;Hash=abc;Cert="${escaped(shown)}";Subject="CN=\\"a\\",O=b";URI=`,
  ],
  ['envoy', 'a pair without quotes', () => `Cert=${escaped(shown)}`],
  ['traefik', 'PEM without its ends', () => base64(shown)],
  ['traefik', 'PEM without its ends, and that of its issuer', () => `${base64(shown)},${base64(other)}`],
  ['traefik', 'the same, escaped', () => encodeURIComponent(`${base64(shown)},${base64(other)}`)],
])('reads what %s writes: %s', (format, _what, write) => {
  expect(readBy(format, write())).toEqual(shown.der);
});

it.each<[ProxyFormat, string, () => string[]]>([
  ['nginx', 'two headers', () => [escaped(shown), escaped(shown)]],
  ['nginx', 'two headers, one of them empty', () => ['', escaped(shown)]],
  ['nginx', 'two certificates', () => [escaped(shown) + escaped(other)]],
  ['nginx', 'a certificate behind another text', () => [`x${escaped(shown)}`]],
  ['nginx', 'what is escaped twice', () => [encodeURIComponent(escaped(shown))]],
  ['nginx', 'a % that escapes nothing', () => ['%zz']],
  ['nginx', 'DER in base64', () => [base64(shown)]],
  ['haproxy', 'base64 with a space', () => [base64(shown).replace(/^.{8}/, '$& ')]],
  ['haproxy', 'base64url', () => [`${base64(shown).slice(0, -4)}-_-_`]],
  ['haproxy', 'two in one', () => [`${base64(shown)},${base64(other)}`]],
  ['envoy', 'two elements', () => [`Cert="${escaped(other)}",Cert="${escaped(shown)}"`]],
  ['envoy', 'two pairs of the name', () => [`Cert="${escaped(other)}";cert="${escaped(shown)}"`]],
  ['envoy', 'a pair inside a subject', () => [`Subject="a";Cert="${escaped(shown)}`]],
  ['envoy', 'a quote that does not end', () => [`Subject="a;Cert="${escaped(shown)}"`]],
  ['envoy', 'no certificate in it', () => ['Hash=abc']],
])('takes from %s no %s', (format, _what, write) => {
  const read = readBy(format, ...write());
  expect(read).toBeDefined();
  expect(read?.length).toBeLessThan(2);
});

it.each(Object.keys(FORMATS) as ProxyFormat[])('takes no time over what %s would never write', (format) => {
  const started = performance.now();
  for (const text of ['a', 'a=', 'a="', '%2', 'A ', '"\\', ';', ',']) readBy(format, text.repeat(32_000 / text.length));
  expect(performance.now() - started).toBeLessThan(300);
});

it.each(Object.keys(FORMATS) as ProxyFormat[])('knows when %s tells of none', (format) => {
  expect(readBy(format)).toBeUndefined();
  expect(readBy(format, '')).toBeUndefined();
});

it('knows a header of any of them', () => {
  for (const { header } of Object.values(FORMATS)) expect(namesCertificate(callWith([header, 'x']))).toBe(true);
  expect(namesCertificate(callWith(['x-real-ip', 'x']))).toBe(false);
});
