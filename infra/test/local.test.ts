import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalIssuer, issueLocalToken } from '../src/local/issuer.js';
import { type MunicipalityRegistration, registerMunicipality } from '../src/local/register-municipality.js';
import { createTestDatabase, runSql } from '../src/testkit/database.js';

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

describe('registerMunicipality', () => {
  const municipality = {
    cvr: '22222222',
    name: 'Odenskov',
    takesReplies: true,
    takesEnquiries: false,
    contactPoints: [{ id: 'a', name: 'Børn' }],
  };

  it('adds and changes one; contact points are added and renamed, never removed', async () => {
    const { ownerUrl, drop } = await createTestDatabase();
    await registerMunicipality(ownerUrl, municipality);
    const contactPoints = [{ id: 'b', name: 'Voksne' }];
    await registerMunicipality(ownerUrl, { ...municipality, name: 'Ny Odenskov', takesReplies: false, contactPoints });
    await registerMunicipality(ownerUrl, { ...municipality, contactPoints: [{ id: 'a', name: 'Børn og unge' }] });
    expect(await runSql(ownerUrl, 'SELECT * FROM municipalities')).toMatchObject([
      { cvr: '22222222', name: 'Odenskov', takes_replies: true, takes_enquiries: false, late_after_days: 3 },
    ]);
    const points = await runSql(ownerUrl, 'SELECT contact_point_id, name FROM contact_points ORDER BY 1');
    expect(points).toEqual([
      { contact_point_id: 'a', name: 'Børn og unge' },
      { contact_point_id: 'b', name: 'Voksne' },
    ]);
    await drop();
  });

  it('changes of a contact point only what is given, and nothing at all when a new one has no name', async () => {
    const { ownerUrl, drop } = await createTestDatabase();
    const register = (...contactPoints: MunicipalityRegistration['contactPoints']) =>
      registerMunicipality(ownerUrl, { ...municipality, contactPoints });
    const stored = () => runSql(ownerUrl, 'SELECT contact_point_id AS id, name, is_concern FROM contact_points');
    await register({ id: 'A', name: 'Børn', isConcern: true });
    await register({ id: 'a', name: 'Underretninger' });
    expect(await stored()).toEqual([{ id: 'a', name: 'Underretninger', is_concern: true }]);
    await register({ id: 'a', isConcern: false });
    await expect(register({ id: 'a', isConcern: true }, { id: 'b', isConcern: true })).rejects.toThrow(
      'Municipality 22222222 has no contact point b yet. A new one needs a name.',
    );
    expect(await stored()).toEqual([{ id: 'a', name: 'Underretninger', is_concern: false }]);
    await drop();
  });
});
