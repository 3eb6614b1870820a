import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SentReceipt, type StandIn, startStandIn } from '../src/local/distribution/stand-in.js';
import { createLocalIssuer, issueLocalToken } from '../src/local/issuer.js';
import { statePaths } from '../src/local/state.js';

describe('the local issuer', () => {
  const request = { municipality: '22222222', user: 'x', roles: [] };
  const folder = mkdtempSync(join(tmpdir(), 'indbakke-issuer-'));
  const [privateKey, jwks] = [join(folder, 'private.json'), join(folder, 'jwks.json')];
  beforeAll(() => createLocalIssuer(privateKey, jwks));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('refuses an unknown role, listing the roles, and an invalid CVR number', async () => {
    await expect(issueLocalToken(privateKey, { ...request, roles: ['Læs'] })).rejects.toThrow(/DigitalPost\.Slet/);
    await expect(issueLocalToken(privateKey, { ...request, municipality: '123' })).rejects.toThrow(/eight digits/);
  });

  it('keeps its private key out of the key set and readable by its owner only', () => {
    expect(statSync(privateKey).mode & 0o077).toBe(0);
    expect(readFileSync(jwks, 'utf8')).not.toContain('"d"');
  });
});

describe('the stand-in for Fordelingskomponenten', () => {
  const SFTP_SETTINGS = ['HOST', 'PORT', 'USER', 'KEY_FILE', 'HOST_KEYS'].map((name) => `SF2900_SFTP_${name}`);
  const paths = statePaths({ STATE_DIR: mkdtempSync(join(tmpdir(), 'indbakke-stand-in-')) });
  afterAll(() => rmSync(paths.root, { recursive: true }));

  async function withStandIn<T>(
    env: Env,
    work: (standIn: StandIn, heard: SentReceipt[]) => T | Promise<T>,
  ): Promise<T> {
    const heard: SentReceipt[] = [];
    const standIn = await startStandIn(paths, env, (receipt) => heard.push(receipt));
    try {
      return await work(standIn, heard);
    } finally {
      await standIn.close();
    }
  }

  it('listens on loopback, and is the same server when it starts again', async () => {
    const first = await withStandIn({}, ({ settings }) => settings);
    const second = await withStandIn({}, ({ settings }) => settings);
    expect(first.SF2900_SFTP_HOST).toBe('127.0.0.1');
    expect(first.SF2900_SERVICE_URL).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(second.SF2900_SFTP_HOST_KEYS).toBe(first.SF2900_SFTP_HOST_KEYS);
    expect(statSync(first.SF2900_SFTP_KEY_FILE as string).mode & 0o077).toBe(0);
  });

  it.each<[name: string, env: Env, settings: string[]]>([
    ['the SFTP server', { SF2900_SFTP_HOST: 'sftp.example' }, ['SF2900_SERVICE_URL']],
    ['the service', { SF2900_SERVICE_URL: 'https://sp.example' }, SFTP_SETTINGS],
    ['a database, whose receipts must not end in it', { DATABASE_URL: 'postgres://db.example/indbakke' }, []],
    ['that there is no SF2900', { SF2900: 'off' }, []],
  ])('leaves out what the environment names: %s', async (_name, env, settings) => {
    expect(await withStandIn(env, (standIn) => Object.keys(standIn.settings))).toEqual(settings);
  });

  it('takes objects and business receipts', async () => {
    await withStandIn({}, async ({ settings }, heard) => {
      const call = (operation: string, content: string) =>
        fetch(settings.SF2900_SERVICE_URL as string, {
          method: 'POST',
          headers: {
            soapaction: `"http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService/3/port/${operation}"`,
          },
          body: `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><${operation}Request>${content}</${operation}Request></e:Body></e:Envelope>`,
        }).then((response) => response.text());
      const context = `<DistributionContext><AnvenderTransaktionsID>t</AnvenderTransaktionsID><AfsendendeMyndighed>99999999</AfsendendeMyndighed></DistributionContext>`;

      const object = await call('FordelingsobjektAfsend', `<anmodning>${context}</anmodning>`);
      expect(object).toMatch(
        /MODTAGET.*Teknisk.*<ns2:AnvenderTransaktionsID>t<.*<ns2:DistributionTransktionsID>[0-9a-f-]{36}</,
      );
      await call(
        'FordelingskvitteringModtag',
        `<Forretningskvittering><ForretningsValideringsKode>AFVIST</ForretningsValideringsKode><Begrundelse>Nej</Begrundelse></Forretningskvittering>${context}`,
      );
      expect(heard).toEqual([{ transactionId: 't', sender: '99999999', code: 'AFVIST', reason: 'Nej' }]);
    });
  });
});
