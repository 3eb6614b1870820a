import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalIssuer, issueLocalToken } from '../src/local/issuer.js';

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
