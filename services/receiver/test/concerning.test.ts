import type { Memo } from '@indbakke/shared/memo';
import { describe, expect, test } from 'vitest';
import { concerningOf } from '../src/memo/concerning.js';

const CPR = '4103139999';

/** Of a message with this CPRdata and this contact info, as label and value. */
function concerning(cprData: { cprNumber?: string; name?: string } | undefined, ...info: [string, string][]) {
  const memo = { header: { messageUUID: '', replyData: [], ...(cprData && { contentData: { cprData } }) } };
  return concerningOf(
    memo as unknown as Memo,
    info.map(([label, value]) => ({ label, value })),
  );
}

const nobody = { id: undefined, name: undefined };

describe('a message concerns', () => {
  test('the one of CPRdata, whatever was filled in', () => {
    const data = { cprNumber: '410202-9999', name: 'Barn Testesen' };
    expect(concerning(data, ['CPR-nummer', CPR], ['Barnets navn', 'Nogen Anden'])).toEqual({
      id: '4102029999',
      name: 'Barn Testesen',
    });
  });

  test('the one of CPRdata with a number of other digits, as it is written', () => {
    expect(concerning({ cprNumber: '41020299' })).toEqual({ id: '41020299', name: undefined });
  });

  test('the one filled in when CPRdata has a name only, without that name', () => {
    expect(concerning({ cprNumber: '', name: 'Barn Testesen' }, ['Barnets CPR-nummer', CPR])).toEqual({
      id: CPR,
      name: undefined,
    });
  });

  test('the name of CPRdata when there is no number at all', () => {
    expect(concerning({ cprNumber: '', name: 'Barn Testesen' }, ['Barnets navn', 'Nogen Anden'])).toEqual({
      id: undefined,
      name: 'Barn Testesen',
    });
  });

  test('nobody when nothing says whom', () => {
    expect(concerning(undefined)).toEqual(nobody);
    expect(concerning({})).toEqual(nobody);
  });
});

describe('the CPR number that was filled in', () => {
  test.each([
    'CPR',
    'cpr-nr.',
    'CPR-nummer:',
    'Cpr nummer',
    'Barnets CPR-nummer',
    'BARNETS CPR',
    'Personnummer',
    'Den unges personnr.',
    'Elevens person nr',
    'Dit barns CPR-nummer',
    'CPR-nummer på barnet (ikke dit eget)',
  ])('counts under the label %s', (label) => {
    expect(concerning(undefined, [label, CPR])).toEqual({ id: CPR, name: undefined });
  });

  test.each(['410313-9999', ' 4103139999 ', '410313 9999', '410313–9999', 'CPR: 410313-9999'])(
    'counts when it is written as %s',
    (value) => {
      expect(concerning(undefined, ['Barnets CPR-nummer', value])).toEqual({ id: CPR, name: undefined });
    },
  );

  test.each([
    ['Dit CPR-nummer', CPR],
    ['Dit eget cpr-nr.', CPR],
    ['Mors CPR-nummer', CPR],
    ['Barnets fars CPR-nummer', CPR],
    ['Forælderens CPR', CPR],
    ['Værges personnummer', CPR],
    ['Underretters CPR-nummer', CPR],
    ['Telefonnummer', CPR],
    ['Sagsnummer', CPR],
    ['Barnets CPR-nummer', 'ved ikke'],
    ['Barnets CPR-nummer', '410313'],
    ['', CPR],
  ])('does not count under the label “%s” with the value %s', (label, value) => {
    expect(concerning(undefined, [label, value])).toEqual(nobody);
  });

  test('is the child’s when there is a parent’s before it', () => {
    expect(concerning(undefined, ['Mors CPR-nummer', '4101019999'], ['Barnets CPR-nummer', CPR]).id).toBe(CPR);
  });
});

describe('the name that was filled in', () => {
  test.each(['Barnets navn', 'Elevens fulde navn', 'Navn på den unge', 'Navn på den, det drejer sig om', 'Navn'])(
    'counts under the label %s beside a CPR number',
    (label) => {
      const both = { id: CPR, name: 'Barn Testesen' };
      expect(concerning(undefined, [label, 'Barn Testesen'], ['CPR-nummer', CPR])).toEqual(both);
    },
  );

  test('counts without a number when its label says whose it is', () => {
    expect(concerning(undefined, ['Barnets navn', 'Barn Testesen'])).toEqual({ id: undefined, name: 'Barn Testesen' });
  });

  test.each([
    ['Navn', 'alone may be the sender’s'],
    ['Dit navn', 'is the sender’s'],
    ['Navn på underretter', 'is the sender’s'],
    ['Navn på barnets skole', 'is a school’s'],
    ['Barnets mors navn', 'is the mother’s'],
    ['Barnets CPR-nummer og navn', 'is in a field for both'],
  ])('does not count under the label %s: it %s', (label) => {
    expect(concerning(undefined, [label, 'Nogen Testesen'])).toEqual(nobody);
  });
});
