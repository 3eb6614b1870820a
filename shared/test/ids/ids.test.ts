import { describe, expect, it } from 'vitest';
import { contactPointIdOf, cprNumberOf, cvrNumberOf, partyIdOf, uuidOf } from '../../src/ids/index.js';

// Impossible numbers: no month has a 41st day.
const CPR = '4101019999';
const CVR = '22222222';
const UUID = '5a0f4c2e-7d1b-4e83-9c56-0b1d2e3f4a5b';
const UPPER = UUID.toUpperCase();

describe('a CPR number', () => {
  it.each([
    CPR,
    '410101-9999',
    '410101 9999',
    '410101 - 9999',
    '410101–9999',
    '410101\u00a09999',
    'CPR-nr. 410101-9999',
  ])('is the same as "%s"', (written) => {
    expect(cprNumberOf(written)).toBe(CPR);
    expect(partyIdOf(written)).toBe(CPR);
  });

  it.each(['', '410101999', '41010199990', '410101-999X', `DK ${CPR}`, `${CPR},`, CVR])('is not "%s"', (written) => {
    expect(cprNumberOf(written)).toBeUndefined();
  });
});

describe('a CVR number', () => {
  it.each([
    CVR,
    '22 22 22 22',
    '2222 2222',
    'DK22222222',
    'DK-22222222',
    'dk 22 22 22 22',
    'CVR: 22222222',
    'CVR-nr. DK22222222',
  ])('is the same as "%s"', (written) => {
    expect(cvrNumberOf(written)).toBe(CVR);
    expect(partyIdOf(written)).toBe(CVR);
  });

  it.each(['', '2222222', '222222222', 'SE22222222', 'DK', CPR])('is not "%s"', (written) => {
    expect(cvrNumberOf(written)).toBeUndefined();
  });
});

it('anything else is a party only as it is written', () => {
  for (const written of ['', 'Test Testesen', '12-34', 'DK 1']) expect(partyIdOf(written)).toBe(written);
});

describe('a UUID', () => {
  it.each([
    ...[UUID, UPPER, `{${UPPER}}`, `(${UUID})`, `urn:uuid:${UUID}`, `URN:UUID:${UPPER}`, `uuid:${UUID}`],
    ...[UUID.replaceAll('-', ''), `{${UPPER.replaceAll('-', '')}}`, ` ${UUID}\n`],
  ])('is the same as "%s"', (written) => {
    expect(uuidOf(written)).toBe(UUID);
    expect(contactPointIdOf(written)).toBe(UUID);
  });

  it.each(['', 'x', `{${UUID}`, `${UUID}}`, `{${UUID})`, `${UUID}0`, UUID.replace('-', ''), UUID.replace('5', 'g')])(
    'is not "%s"',
    (written) => {
      expect(uuidOf(written)).toBeUndefined();
    },
  );
});

it('a contact point that is no UUID is compared in lower case', () => {
  expect(contactPointIdOf(' Børn og Unge ')).toBe('børn og unge');
});
