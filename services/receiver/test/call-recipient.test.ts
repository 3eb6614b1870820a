import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';

// @module-tag long

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('call-recipient.py', import.meta.url));
const KOMBIT = fileURLToPath(
  new URL('../../../../shared/fixtures/sf2900/SF2900_EP_MS1-2/DistributionServiceModtagerV2.wsdl', import.meta.url),
);

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const SYSTEM = { UUID: '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9' };
const EFFECT = { Aktoer: SYSTEM, AktoerType: 'ItSystem' };

/** A document, as a client takes it; its namespaces and order are up to the WSDL. */
const anmodning = (transactionId: string, municipality = '22222222') => ({
  DistributionContext: {
    AnvenderTransaktionsID: transactionId,
    AfsendendeMyndighed: '11111111',
    RoutingMyndighed: municipality,
    RoutingValg: { RoutingKLEEmneHandling: { RoutingKLEEmne: '27.24.00' } },
    DokumentFilNavn: 'udtalelse æøå.pdf',
  },
  DistributionObject: {
    ObjektType: 'DOKUMENT',
    ObjektIndhold: {
      DistributionDokument: {
        ID: randomUUID(),
        KLEEmneForslag: '27.24.00',
        Registrering: {
          FraTidsPunkt: '2026-01-15T09:30:00Z',
          LivscyklusKode: 'Oprettet',
          RegistreringItSystem: SYSTEM,
          RelationListe: {
            VariantListe: {
              Variant: {
                Virkning: EFFECT,
                Rolle: 'Variant',
                Indeks: '1',
                VariantAttributter: { VariantType: 'PDF' },
                DelAttributter: { DelTekst: 'Hele dokumentet' },
              },
            },
          },
          TilstandsListe: { Tilstand: { Fremdrift: 'Endeligt', Virkning: EFFECT } },
          AttributListe: {
            Attributter: {
              BrugervendtNoegleTekst: 'DOK-1',
              TitelTekst: 'Udtalelse æøå',
              BeskrivelseTekst: 'Eksempel',
              Dokumenttype: 'Brev',
              Retning: 'Indgaaende',
              Brevdato: '2026-01-15',
              Virkning: EFFECT,
            },
          },
        },
      },
    },
  },
});

function callWith(library: string, wsdl: string, request: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const args = [SCRIPT, library, wsdl, `${stack.url}/sf2900/soap`];
    const child = execFile(PYTHON, args, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.end(JSON.stringify(request));
  });
}

function isInstalled(library: string): boolean {
  if (spawnSync(PYTHON, ['-c', `import ${library}`]).status === 0) return true;
  process.stdout.write(`Skipped: the recipient with a foreign client requires python3 with ${library}.\n`);
  return false;
}

describe.each(['zeep', 'suds'].filter(isInstalled))('a foreign client, %s,', (library) => {
  const WSDLS: readonly (readonly [string, () => string])[] = [
    ['ours', () => `${stack.url}/sf2900/soap?wsdl`],
    ...(existsSync(KOMBIT) ? [['KOMBIT’s', () => KOMBIT] as const] : []),
  ];

  it.each(WSDLS)('delivers a document by a WSDL, %s, and reads its receipt', async (_whose, wsdl) => {
    const transactionId = randomUUID();

    const receipt = await callWith(library, wsdl(), anmodning(transactionId));

    expect(receipt).toEqual({ code: 'ACCEPTERET', kind: 'Teknisk', reason: null });
    const stored = await stack.sql(
      `SELECT subject, file_name FROM distributions t JOIN message_details USING (message_id) JOIN files USING (message_id)
       WHERE transaction_id = $1`,
      [transactionId],
    );
    expect(stored).toEqual([{ subject: 'Udtalelse æøå', file_name: 'udtalelse æøå.pdf' }]);
  });

  it.each(WSDLS)('reads by a WSDL, %s, why a document is refused', async (_whose, wsdl) => {
    const receipt = await callWith(library, wsdl(), anmodning(randomUUID(), '99999999'));

    expect(receipt).toEqual({
      code: 'AFVIST',
      kind: 'Teknisk',
      reason: 'The message is addressed to an unknown municipality.',
    });
  });

  it.each(WSDLS)('reads by a WSDL, %s, that it is to send the document again', async (_whose, wsdl) => {
    await stack.sql('ALTER TABLE messages RENAME TO away');
    try {
      const receipt = await callWith(library, wsdl(), anmodning(randomUUID()));

      expect(receipt).toMatchObject({ fault: expect.stringContaining('Server') });
      expect(receipt.detail).toContain('send-again');
    } finally {
      await stack.sql('ALTER TABLE away RENAME TO messages');
    }
  });
});
