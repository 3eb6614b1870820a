import 'reflect-metadata'; // for @peculiar/x509
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY, HOUR } from '@indbakke/shared/config';
import { Extension, type JsonName } from '@peculiar/x509';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createTestIssuer,
  type Issued,
  ocesSubject,
  type TestIssuer,
} from '../../../infra/src/testkit/certificates.js';
import { ClientCertificates } from '../src/callers/client-certificates.js';
import { RevocationList } from '../src/callers/revocation-list.js';

// Production and external test of Serviceplatformen have the same issuer and CVR; only the UUID differs.
const CVR = '19435075';
const PRODUCTION = randomUUID();
const EXTERNAL_TEST = randomUUID();
const CLIENT = { cvr: CVR, uuid: PRODUCTION };

let folder: string;
let issuer: TestIssuer;
let client: Issued;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'indbakke-certificates-'));
  issuer = await createTestIssuer();
  client = await issuer.issue({ subject: ocesSubject(CVR, PRODUCTION) });
});

afterAll(() => rmSync(folder, { recursive: true }));

const taken = (issuers = issuer.certificate) => new ClientCertificates({ issuers, clients: [CLIENT] });
const faultOf = (issued: Pick<Issued, 'der'>) => taken().check(issued.der).fault;

it('is taken from its issuer, for the system that is named', () => {
  expect(taken().check(client.der)).toEqual({ subject: CLIENT });
});

it('is taken when it is renewed', async () => {
  expect(faultOf(await issuer.issue({ subject: ocesSubject(CVR, PRODUCTION, 'Another name') }))).toBeUndefined();
});

it('is read by the ids of its attributes, in any order, and in capitals', async () => {
  const subject = [...ocesSubject(CVR, PRODUCTION.toUpperCase())].reverse();
  expect(faultOf(await issuer.issue({ subject }))).toBeUndefined();
});

it.each<[string, JsonName]>([
  ['another CVR', ocesSubject('11111111', PRODUCTION)],
  ['another UUID: external test', ocesSubject(CVR, EXTERNAL_TEST)],
  [
    'a name that looks like its attributes',
    [{ CN: [`a, 2.5.4.97=NTRDK-${CVR}\nserialNumber=UI:DK-O:G:${PRODUCTION}`] }],
  ],
  ['two CVRs', [...ocesSubject('11111111', PRODUCTION), { '2.5.4.97': [`NTRDK-${CVR}`] }]],
  ['two UUIDs', [...ocesSubject(CVR, EXTERNAL_TEST), { '2.5.4.5': [`UI:DK-O:G:${PRODUCTION}`] }]],
  [
    'two UUIDs in one attribute',
    [{ '2.5.4.97': [`NTRDK-${CVR}`] }, { '2.5.4.5': [`UI:DK-O:G:${EXTERNAL_TEST}`, `UI:DK-O:G:${PRODUCTION}`] }],
  ],
  ['more behind its UUID', ocesSubject(CVR, `${PRODUCTION}\n${EXTERNAL_TEST}`)],
  ['an id of OCES2', [{ C: ['DK'] }, { O: ['Test'] }, { '2.5.4.5': [`CVR:${CVR}-UID:12345678`] }]],
  ['no attributes', [{ CN: ['nobody'] }]],
])('is refused with %s', async (_what, subject) => {
  expect(faultOf(await issuer.issue({ subject }))).toBe('not-named');
});

it('is refused before and after its time', async () => {
  const subject = ocesSubject(CVR, PRODUCTION);
  const inHours = (hours: number) => new Date(Date.now() + hours * HOUR);
  expect(faultOf(await issuer.issue({ subject, notBefore: inHours(-2), notAfter: inHours(-1) }))).toBe('expired');
  expect(faultOf(await issuer.issue({ subject, notBefore: inHours(1) }))).toBe('not-yet-valid');
});

it('is refused from another issuer of the same name, signed by itself, or by a certificate that is no issuer', async () => {
  const subject = ocesSubject(CVR, PRODUCTION);
  const other = await createTestIssuer();
  expect(faultOf(await other.issue({ subject }))).toBe('unknown-issuer');
  expect(taken(`${other.certificate}${issuer.certificate}`).check(client.der)).toEqual({ subject: CLIENT });
  expect(faultOf(await createTestIssuer(subject))).toBe('unknown-issuer');
  const noIssuer = await createTestIssuer(subject, false);
  expect(taken(noIssuer.certificate).check((await noIssuer.issue({ subject })).der).fault).toBe('unknown-issuer');
});

it('is refused from another issuer with a certificate of this one inside, or behind it', async () => {
  // Node takes the first PEM in the bytes for the certificate.
  const others = `\n${(await issuer.issue()).certificate}\n`;
  const subject = ocesSubject(CVR, PRODUCTION);
  const another = await createTestIssuer();
  expect(faultOf(await another.issue({ subject: [...subject, { OU: [others] }] }))).toBe('unreadable');
  const { der } = await another.issue({ subject });
  expect(faultOf({ der: new Uint8Array([...der, ...Buffer.from(others)]) })).toBe('unreadable');
  expect(faultOf({ der: new Uint8Array([...client.der, 0]) })).toBe('unreadable');
  expect(faultOf({ der: new Uint8Array(Buffer.from(client.certificate)) })).toBe('unreadable');
});

it('is refused when there is none, or it cannot be read', () => {
  expect(taken().check(undefined).fault).toBe('missing');
  expect(taken().check(new Uint8Array()).fault).toBe('missing');
  for (const bytes of [Buffer.from('no certificate'), client.der.slice(0, -1), client.der.slice(0, 40)]) {
    expect(taken().check(new Uint8Array(bytes)).fault).toBe('unreadable');
  }
  const changed = client.der.slice();
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  expect(taken().check(changed).fault).toBe('unknown-issuer');
});

it('needs an issuer', () => {
  expect(() => taken('')).toThrow('There is no certificate of an issuer');
});

const revoking = (now = Date.now) => {
  const list = new RevocationList(join(folder, 'list.crl'), 48);
  return {
    list,
    all: new ClientCertificates({ issuers: issuer.certificate, clients: [CLIENT], revocationLists: [list], now }),
  };
};
const write = async (serialNumbers: readonly string[], { by = issuer, madeAt = new Date() } = {}) => {
  writeFileSync(join(folder, 'list.crl'), await by.revoke(serialNumbers, madeAt));
};

it('is refused once it is revoked, without a restart', async () => {
  const { all, list } = revoking();
  expect(all.check(client.der).fault).toBe('revocation-unknown');
  await write([]);
  await all.refresh();
  expect(all.check(client.der)).toEqual({ subject: CLIENT });
  await write([client.serialNumber]);
  utimesSync(join(folder, 'list.crl'), new Date(), new Date(Date.now() + 1_000));
  await all.refresh();
  expect(all.check(client.der).fault).toBe('revoked');
  expect(list.secondsLeft(Date.now()) / 3_600).toBeCloseTo(48, 1);
});

it('is refused when the list is too old, and after a list that cannot be read has not replaced it', async () => {
  let now = Date.now();
  const { all } = revoking(() => now);
  await write([]);
  await all.refresh();
  writeFileSync(join(folder, 'list.crl'), 'half a list');
  utimesSync(join(folder, 'list.crl'), new Date(), new Date(Date.now() + 2_000));
  await expect(all.refresh()).rejects.toThrow();
  expect(all.check(client.der)).toEqual({ subject: CLIENT });
  now += 2 * DAY + HOUR;
  expect(all.check(client.der).fault).toBe('revocation-unknown');
});

it('is refused when any list of its issuer has it, or is too old', async () => {
  const [whole, other] = [
    new RevocationList(join(folder, 'list.crl'), 48),
    new RevocationList(join(folder, 'other.crl'), 48),
  ];
  for (const revocationLists of [
    [whole, other],
    [other, whole],
  ]) {
    const all = new ClientCertificates({ issuers: issuer.certificate, clients: [CLIENT], revocationLists });
    await write([]);
    writeFileSync(join(folder, 'other.crl'), await issuer.revoke([client.serialNumber]));
    await all.refresh();
    expect(all.check(client.der).fault).toBe('revoked');
  }
  const old = new RevocationList(join(folder, 'old.crl'), 48);
  writeFileSync(join(folder, 'old.crl'), await issuer.revoke([], new Date(Date.now() - 3 * DAY)));
  const all = new ClientCertificates({ issuers: issuer.certificate, clients: [CLIENT], revocationLists: [whole, old] });
  await all.refresh();
  expect(all.check(client.der).fault).toBe('revocation-unknown');
});

it('is refused when it is on a list of thousands', async () => {
  const { all } = revoking();
  const others = Array.from({ length: 3_400 }, (_, at) => (0x10000000 + at).toString(16));
  await write([...others, client.serialNumber]);
  await all.refresh();
  expect(all.check(client.der).fault).toBe('revoked');
});

it('is refused once it is on one list, though another cannot be read', async () => {
  const lists = ['broken.crl', 'list.crl'].map((name) => new RevocationList(join(folder, name), 48));
  const all = new ClientCertificates({ issuers: issuer.certificate, clients: [CLIENT], revocationLists: lists });
  writeFileSync(join(folder, 'broken.crl'), 'half a list');
  await write([client.serialNumber]);
  await expect(all.refresh()).rejects.toThrow();
  expect(all.check(client.der).fault).toBe('revoked');
});

it('stays revoked after an older list has come, and one that has the newest changes only', async () => {
  const { all } = revoking();
  await write([client.serialNumber]);
  await all.refresh();
  const former = await issuer.revoke([], new Date(Date.now() - HOUR));
  const changes = await issuer.revoke([], new Date(Date.now() + 1_000), [
    new Extension('2.5.29.27', true, new Uint8Array([2, 1, 1])),
  ]);
  for (const [index, [list, fault]] of (
    [
      [former, 'is older than the one that was read before'],
      [changes, 'has a critical extension that is not known (2.5.29.27)'],
    ] as const
  ).entries()) {
    writeFileSync(join(folder, 'list.crl'), list);
    utimesSync(join(folder, 'list.crl'), new Date(), new Date(Date.now() + (index + 5) * 1_000));
    await expect(all.refresh()).rejects.toThrow(fault);
    expect(all.check(client.der).fault).toBe('revoked');
  }
});

it('is refused when the list is of another issuer', async () => {
  const { all } = revoking();
  await write([], { by: await createTestIssuer() });
  await expect(all.refresh()).rejects.toThrow('signed by none of the issuers');
  expect(all.check(client.der).fault).toBe('revocation-unknown');
});
