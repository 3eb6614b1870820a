import { expect, it } from 'vitest';
import { maskNumbers } from '../src/zip/mask-numbers.js';

it.each([
  ['4101019999', '410101-xxxx'],
  ['410101-9999', '410101-xxxx'],
  ['410101 - 9999', '410101-xxxx'],
  ['41 01 01 9999', '410101-xxxx'],
  ['41.01.01.9999', '410101-xxxx'],
  ['410101–9999', '410101-xxxx'],
  ['Svar 410101_9999.pdf', 'Svar 410101-xxxx.pdf'],
  ['om 4101019999 og 4202029999.', 'om 410101-xxxx og 420202-xxxx.'],
  ['CVR 33333333', 'CVR 33333333'],
  ['sag 12345678901', 'sag 12345678901'],
  ['3f1c0d7e-5a52-4b4c-8f35-0a7c5a1e2b90', '3f1c0d7e-5a52-4b4c-8f35-0a7c5a1e2b90'],
  ['2. november 2026 kl. 10.30', '2. november 2026 kl. 10.30'],
  ['12.345.678 byte', '12.345.678 byte'],
])('%j is shown as %j', (text, shown) => {
  expect(maskNumbers(text)).toBe(shown);
});
