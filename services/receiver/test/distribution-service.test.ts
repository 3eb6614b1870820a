import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { DistributionContext } from '@indbakke/shared/lifecycle';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestIssuer, type Issued, type TestIssuer } from '../../../infra/src/testkit/certificates.js';
import { openSchemaCheck, type SchemaCheck } from '../../../infra/src/testkit/distribution-schema.js';
import {
  type DistributionCall,
  type DistributionService,
  type Misbehaviour,
  SECRET_TEXT,
  startDistributionService,
} from '../../../infra/src/testkit/distribution-service.js';
import { isInstalled } from '../../../infra/src/testkit/installed.js';
import { ReceiverConfig } from '../src/config.js';
import { type DistributionClient, openDistributionClient } from '../src/sf2900/service/client.js';
import type { SentDocument } from '../src/sf2900/service/document.js';
import type { FailureCode } from '../src/sf2900/service/outcome.js';
import { readAnswer } from '../src/sf2900/service/read-answer.js';
import { sendBusinessReceipt } from '../src/sf2900/service/send-business-receipt.js';
import { sendObject } from '../src/sf2900/service/send-object.js';
import { TYPES_2, TYPES_3 } from '../src/sf2900/wsdl/namespaces.js';

// Calls of a stand-in for Serviceplatformen's Distribution/3 that holds them against our schema, and against KOMBIT's where it is.

const FIXTURES = fileURLToPath(new URL('../../../../shared/fixtures/sf2900/', import.meta.url));
const hasXmllint = await isInstalled('xmllint', ['--version']);
if (!hasXmllint) process.stdout.write('Calls of SF2900 are not held against its schema: xmllint is missing.\n');

const OPENSSL = '/usr/bin/openssl';

const CONTEXT: DistributionContext = {
  transactionId: '3f1c0a52-8f7e-4a58-9d0b-6b1b7f0c2a11',
  distributionId: 'a4d9c7e2-1b35-4c0e-8f4a-0e2d9b6c7f33',
  sender: '11111111',
  municipality: '22222222',
  routing: { kle: '27.24.00', facet: 'G01' },
};
const DOCUMENT: SentDocument = {
  id: '5b7e1c90-2d44-4f3b-9a6e-7c1d2e3f4a55',
  kle: '27.24.00',
  key: 'IND-2026-17',
  title: 'Udtalelse',
  description: 'Sendt videre',
  letterDate: '2026-01-15',
  registeredAt: new Date('2026-01-15T08:30:00Z'),
  systemId: '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9',
  file: { bytes: 183_204, mimeType: 'application/pdf' },
};
const CALLER = { municipality: '22222222', callId: 'receipt-17' };

let checks: SchemaCheck[] = [];
beforeAll(async () => {
  if (!hasXmllint) return;
  checks = [await openSchemaCheck()];
  if (!existsSync(FIXTURES)) return;
  const v2 = join(FIXTURES, 'SF2900_EP_MS1-2/DistributionServiceMsgV2.xsd');
  checks.push(await openSchemaCheck({ [TYPES_2]: v2, [TYPES_3]: join(FIXTURES, 'DistributionServiceMsg.xsd') }));
});
afterAll(async () => {
  await Promise.all(checks.map((check) => check.close()));
});

const clientOf = async (url: string | undefined, files: Record<string, string> = {}) =>
  (await openDistributionClient({
    SF2900_SERVICE_URL: url,
    SF2900_SERVICE_SECONDS: 1,
    SF2900_SERVICE_KEY_FILE: undefined,
    SF2900_SERVICE_CERTIFICATE_FILE: undefined,
    SF2900_SERVICE_CA_FILE: undefined,
    ...files,
  })) as DistributionClient;

describe('over HTTP', () => {
  let service: DistributionService;
  let client: DistributionClient;
  beforeEach(async () => {
    service = await startDistributionService({ checks });
    client = await clientOf(service.url);
  });
  afterEach(() => service.close());

  const sendReceipt = (given: Partial<Parameters<typeof sendBusinessReceipt>[1]> = {}) =>
    sendBusinessReceipt(client, { ...CALLER, code: 'ACCEPTERET', context: CONTEXT, ...given });
  const sendDocument = (given: Partial<SentDocument> = {}, context: Partial<DistributionContext> = {}) =>
    sendObject(client, {
      ...CALLER,
      context: { ...CONTEXT, distributionId: undefined, ...context },
      fileName: 'udtalelse.pdf',
      document: { ...DOCUMENT, ...given },
    });

  describe('a business receipt', () => {
    it('is a valid call with the context as it was received', async () => {
      expect(await sendReceipt()).toEqual({ code: 'sent' });
      expect(service.calls).toMatchObject([
        {
          operation: 'FordelingskvitteringModtag',
          soapAction:
            '"http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService/3/port/FordelingskvitteringModtag"',
          contentType: 'text/xml; charset=utf-8',
          fault: undefined,
          request: {
            CallContext: { CallersServiceCallIdentifier: 'receipt-17' },
            AuthorityContext: { MunicipalityCVR: '22222222' },
            Forretningskvittering: { ForretningsValideringsKode: 'ACCEPTERET', Kvitteringstype: 'Forretning' },
            DistributionContext: {
              AnvenderTransaktionsID: CONTEXT.transactionId,
              DistributionTransktionsID: CONTEXT.distributionId,
              AfsendendeMyndighed: '11111111',
              RoutingMyndighed: '22222222',
              RoutingValg: { RoutingKLEEmneHandling: { RoutingKLEEmne: '27.24.00', RoutingHandlingFacet: 'G01' } },
            },
          },
        },
      ]);
    });

    it.each(['AFVIST', 'FEJLET'] as const)('of %s is valid with a reason and faults of any text', async (code) => {
      const reason = `Kan ikke journaliseres: <sag> & "æøå" \u{1F600}\r\n`;
      const faults = [
        { code: 'IND-1', text: 'ukendt sag' },
        { code: 'IND-2', text: ']]> \u0000\u0008\ufffe' },
      ];
      expect(await sendReceipt({ code, reason, faults })).toEqual({ code: 'sent' });
      expect(service.calls).toMatchObject([
        {
          fault: undefined,
          request: {
            Forretningskvittering: {
              ForretningsValideringsKode: code,
              Begrundelse: reason,
              FejlListe: {
                Fejl: [
                  { FejlKode: 'IND-1', FejlTekst: 'ukendt sag' },
                  { FejlKode: 'IND-2', FejlTekst: ']]> \ufffd\ufffd\ufffd' },
                ],
              },
            },
          },
        },
      ]);
    });

    it('is valid with a context that was routed to a system, and with as little as it may have', async () => {
      const actor = randomUUID();
      await sendReceipt({ context: { ...CONTEXT, routing: { actor } } });
      const routing = { kle: '00.01.00', facet: undefined };
      await sendReceipt({ context: { ...CONTEXT, routing, distributionId: undefined } });
      expect(service.calls.map(({ fault }) => fault)).toEqual([undefined, undefined]);
      expect(service.calls[0]?.request.DistributionContext).toMatchObject({
        RoutingValg: { RoutingModtagerAktoer: actor },
      });
    });
  });

  describe('a document that is sent on', () => {
    it('is a valid call, answered with the technical receipt', async () => {
      const outcome = await sendDocument();
      expect(outcome).toEqual({
        code: 'sent',
        receipt: { code: 'MODTAGET', reason: undefined, faults: [] },
      });
      expect(service.calls).toMatchObject([
        {
          operation: 'FordelingsobjektAfsend',
          fault: undefined,
          request: { anmodning: { DistributionContext: { DokumentFilNavn: 'udtalelse.pdf' } } },
        },
      ]);
    });

    it('is valid with everything that Indbakke knows', async () => {
      const party = { kind: 'Person', urn: 'urn:oio:cpr-nr:4101019999' } as const;
      expect(await sendDocument({ facet: 'Å01', party })).toMatchObject({ code: 'sent' });
      expect(service.calls.map(({ fault }) => fault)).toEqual([undefined]);
    });

    it('may be refused, with reason and faults', async () => {
      service.misbehave('refuse');
      expect(await sendDocument()).toEqual({
        code: 'refused',
        status: 200,
        faultCodes: ['RUT-404'],
        receipt: { code: 'AFVIST', reason: SECRET_TEXT, faults: [{ code: 'RUT-404', text: SECRET_TEXT }] },
      });
    });

    it('is not known to be sent without a receipt in the answer', async () => {
      service.misbehave('no-receipt');
      expect(await sendDocument()).toEqual({ code: 'not-soap', status: 200, faultCodes: [] });
    });

    it.runIf(hasXmllint)('with a value that the schema forbids is answered with a fault', async () => {
      expect(await sendDocument({}, { sender: 'DK11111111' })).toEqual({
        code: 'fault-client',
        status: 500,
        faultCodes: ['SCHEMA'],
      });
    });
  });

  it.runIf(hasXmllint)('is answered as the schema says, whatever goes wrong', async () => {
    await sendReceipt();
    await sendDocument();
    const [receipt, object] = service.calls as [DistributionCall, DistributionCall];
    const answers = [await again(receipt), await again(object)];
    for (const how of ['fault', 'client-fault', 'refuse'] as const) {
      service.misbehave(how);
      answers.push(await again(object));
    }
    for (const check of checks) expect((await check.faultsOf(answers)).filter(Boolean)).toEqual([]);
  });

  const again = async ({ envelope, soapAction = '' }: DistributionCall) => {
    const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: soapAction };
    return (await fetch(service.url, { method: 'POST', headers, body: envelope })).text();
  };

  const FAILING: readonly [Misbehaviour, FailureCode, number | undefined, ...string[]][] = [
    ['fault', 'fault-server', 500, 'SP-500'],
    ['client-fault', 'fault-client', 500, 'SP-403'],
    ['unavailable', 'http-status', 503],
    ['redirect', 'http-status', 307],
    ['not-xml', 'not-soap', 200],
    ['huge', 'answer-too-large', undefined],
    ['hang', 'timeout', undefined],
    ['cut', 'connection-broken', undefined],
    ['cut-answer', 'connection-broken', undefined],
  ];
  it.each(FAILING)(
    'has the outcome of a service that answers with %s: %s',
    async (how, code, status, ...faultCodes) => {
      service.misbehave(how, 2);
      expect(await sendReceipt()).toEqual({ code, status, faultCodes });
      expect(await sendDocument()).toEqual({ code, status, faultCodes });
      expect(service.calls).toHaveLength(2);
      expect(await sendReceipt()).toEqual({ code: 'sent' });
    },
  );

  it('cannot connect to a service that is away, or has no such name', async () => {
    await service.close();
    expect(await sendReceipt()).toEqual({ code: 'cannot-connect', status: undefined, faultCodes: [] });
    client = await clientOf('http://no-such-host.invalid/');
    expect(await sendReceipt()).toMatchObject({ code: 'cannot-connect' });
    service = await startDistributionService(); // for afterEach
  });

  it('ends at its limit when an answer drips', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\n\r\n');
      const dripping = setInterval(() => socket.write(' '), 5);
      socket.on('close', () => clearInterval(dripping));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = await clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await sendReceipt()).toMatchObject({ code: 'timeout' });
    server.close();
  });
});

describe('over TLS', () => {
  let folder: string;
  let issuer: TestIssuer;
  let own: Issued;
  let service: DistributionService;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'indbakke-service-'));
    issuer = await createTestIssuer();
    own = await issuer.issue();
    const { key, certificate } = await issuer.issue({ hosts: ['127.0.0.1'] });
    service = await startDistributionService({ tls: { key, cert: certificate, ca: issuer.certificate } });
    await Promise.all([write('own', own), writeFile(join(folder, 'ca.pem'), issuer.certificate)]);
  });
  afterAll(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  async function write(name: string, { key, certificate }: Issued): Promise<void> {
    await writeFile(join(folder, `${name}.key`), key);
    await writeFile(join(folder, `${name}.pem`), certificate);
  }
  const files = (name = 'own') => ({
    SF2900_SERVICE_KEY_FILE: join(folder, `${name}.key`),
    SF2900_SERVICE_CERTIFICATE_FILE: join(folder, `${name}.pem`),
    SF2900_SERVICE_CA_FILE: join(folder, 'ca.pem'),
  });
  const sendBy = (client: DistributionClient) =>
    sendBusinessReceipt(client, { ...CALLER, code: 'ACCEPTERET', context: CONTEXT });
  const certificateShown = () => service.calls.at(-1)?.certificate;

  it('shows our certificate', async () => {
    expect(await sendBy(await clientOf(service.url, files()))).toEqual({ code: 'sent' });
    expect(certificateShown()?.equals(own.der)).toBe(true);
  });

  it('shows a renewed certificate without a restart', async () => {
    await write('renewed', own);
    const client = await clientOf(service.url, files('renewed'));
    const renewed = await issuer.issue();
    await write('renewed', renewed);
    expect(await sendBy(client)).toEqual({ code: 'sent' });
    expect(certificateShown()?.equals(renewed.der)).toBe(true);
  });

  it.skipIf(!existsSync(OPENSSL))('fails as TLS when our certificate is of another issuer', async () => {
    await write('strange', await (await createTestIssuer([{ CN: ['Another'] }])).issue());
    await write('server', await issuer.issue({ hosts: ['127.0.0.1'] }));
    const shown = ['-key', join(folder, 'server.key'), '-cert', join(folder, 'server.pem')];
    const wanted = ['-Verify', '1', '-verify_return_error', '-CAfile', join(folder, 'ca.pem')];
    const server = spawn(OPENSSL, ['s_server', '-accept', '127.0.0.1:0', '-www', ...shown, ...wanted]);
    const port = await portIn(server.stdout);
    expect(await sendBy(await clientOf(`https://127.0.0.1:${port}/`, files('strange')))).toMatchObject({ code: 'tls' });
    server.kill();
    await once(server, 'exit');
  });

  /** Of an openssl that listens. */
  async function portIn(output: Readable): Promise<string> {
    let read = '';
    for await (const chunk of output) {
      read += chunk;
      const port = /ACCEPT \S+:(\d+)\n/.exec(read)?.[1];
      if (port) return port;
    }
    throw new Error('openssl does not listen');
  }

  it('fails as TLS when its certificate is of an issuer that is not ours, or names another host', async () => {
    const { SF2900_SERVICE_CA_FILE: _, ...withoutCa } = files();
    const calls = service.calls.length;
    expect(await sendBy(await clientOf(service.url, withoutCa))).toMatchObject({ code: 'tls' });
    const byName = service.url.replace('127.0.0.1', 'localhost');
    expect(await sendBy(await clientOf(byName, files()))).toMatchObject({ code: 'tls' });
    expect(service.calls).toHaveLength(calls);
  });

  it('fails as TLS when our key cannot be read any more', async () => {
    await write('gone', own);
    const client = await clientOf(service.url, files('gone'));
    await rm(join(folder, 'gone.key'));
    expect(await sendBy(client)).toEqual({ code: 'tls', status: undefined, faultCodes: [] });
  });

  it('does not open without key and certificate, or with a pair that does not fit', async () => {
    await expect(clientOf(service.url)).rejects.toThrow(/^SF2900_SERVICE_URL: needs SF2900_SERVICE_KEY_FILE and/);
    await write('mixed', { ...own, key: (await issuer.issue()).key });
    await expect(clientOf(service.url, files('mixed'))).rejects.toThrow(/^SF2900_SERVICE_KEY_FILE, .*mismatch/);
    await expect(clientOf(service.url, files('absent'))).rejects.toThrow(/^SF2900_SERVICE_KEY_FILE, .*ENOENT/);
  });
});

it('is no client without an address', async () => {
  expect(await clientOf(undefined)).toBeUndefined();
});

it.each([
  ['https://prod.serviceplatformen.dk/service/SP/Distribution/3', true],
  ['http://127.0.0.1:8090/', true],
  ['http://prod.serviceplatformen.dk/', false],
  ['ftp://127.0.0.1/', false],
  ['Distribution/3', false],
])('may have the address %s: %s', (address, may) => {
  expect(ReceiverConfig.shape.SF2900_SERVICE_URL.safeParse(address).success).toBe(may);
});

describe('an answer', () => {
  const read = (body: string, operation: Parameters<typeof readAnswer>[0] = 'FordelingsobjektAfsend', status = 200) => {
    const envelope = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/">${body}</S:Envelope>`;
    return readAnswer(operation, { status, contentType: 'text/xml', body: Buffer.from(envelope) });
  };
  const receipt = (name: string, uri: string, code = 'ACCEPTERET') =>
    `<FordelingsobjektAfsendResponse xmlns="${uri}"><${name}><ForretningsValideringsKode> ${code}
     </ForretningsValideringsKode></${name}></FordelingsobjektAfsendResponse>`;

  it.each([
    ['ForretningsKvittering', TYPES_3],
    ['Forretningskvittering', TYPES_2],
    ['Forretningskvittering', ''],
  ])('is read with %s in the namespace "%s"', async (name, uri) => {
    expect(await read(`<S:Body>${receipt(name, uri)}</S:Body>`)).toMatchObject({
      code: 'sent',
      receipt: { code: 'ACCEPTERET' },
    });
  });

  it('to a receipt may be empty', async () => {
    const sent = { code: 'sent', receipt: undefined };
    expect(await read('<S:Body/>', 'FordelingskvitteringModtag')).toMatchObject(sent);
    expect(await read('<S:Body><x xmlns="urn:x"/></S:Body>', 'FordelingskvitteringModtag')).toMatchObject({
      code: 'not-soap',
    });
  });

  it.each([
    ['soap:Client', 'fault-client'],
    ['Client.Authentication', 'fault-client'],
    ['S:MustUnderstand', 'fault-client'],
    ['S:Server', 'fault-server'],
    ['ns0:Clientele', 'fault-server'],
    ['', 'fault-server'],
  ])('with the fault code %s is a %s, whatever the status', async (faultcode, code) => {
    const fault = `<S:Body><S:Fault><faultcode>${faultcode}</faultcode></S:Fault></S:Body>`;
    expect(await read(fault)).toEqual({ code, status: 200, faultCodes: [] });
    expect(await read(fault, 'FordelingsobjektAfsend', 403)).toEqual({ code, status: 403, faultCodes: [] });
  });

  it('gives the codes of a fault that are codes, and none of its texts', async () => {
    const given = ['SP.1-a_b', SECRET_TEXT, 'x'.repeat(65), '', '410101-9999', 'E4101019999'];
    const codes = given.map((code) => `<FejlKode>${code}</FejlKode>`).join('');
    const error = '<e:Error xmlns:e="urn:e"><e:ErrorCode> 17 </e:ErrorCode><e:ErrorText>secret</e:ErrorText></e:Error>';
    expect(await read(`<S:Body><S:Fault><detail>${codes}${error}</detail></S:Fault></S:Body>`)).toEqual({
      code: 'fault-server',
      status: 200,
      faultCodes: ['SP.1-a_b', '17'],
    });
  });

  it.each([
    ['MODTAGET', 'sent'],
    ['AFLEVERET', 'sent'],
    ['ACCEPTERET', 'sent'],
    ['AFVIST', 'refused'],
    ['FEJLET', 'refused'],
  ])('with %s is %s', async (code, outcome) => {
    const answer = await read(`<S:Body>${receipt('ForretningsKvittering', TYPES_3, code)}</S:Body>`);
    expect(answer).toMatchObject({ code: outcome, receipt: { code } });
  });

  const deep = '<a>'.repeat(100) + '</a>'.repeat(100);
  it.each([
    ['without a Body', ''],
    ['with an empty Body', '<S:Body/>'],
    ['to another operation', '<S:Body><FordelingskvitteringModtagResponse/></S:Body>'],
    ['with an entity', '<!DOCTYPE a [<!ENTITY b "c">]><S:Body/>'],
    ['that is cut off', '<S:Body>'],
    ['that is nested too deep', `<S:Header>${deep}</S:Header><S:Body>${receipt('ForretningsKvittering', '')}</S:Body>`],
  ])('%s is not SOAP', async (_what, body) => {
    expect(await read(body)).toEqual({ code: 'not-soap', status: 200, faultCodes: [] });
  });
});
