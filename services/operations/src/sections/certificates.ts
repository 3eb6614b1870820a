import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DAY } from '@indbakke/shared/config';
import { html } from '@indbakke/shared/html';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

export interface Certificate {
  readonly file: string;
  /** Of the one of its chain that expires first; undefined when the file cannot be read. */
  readonly daysLeft: number | undefined;
}

export function readCertificates(files: readonly string[]): Promise<Certificate[]> {
  return Promise.all(files.map(async (file) => ({ file, daysLeft: await daysLeftOf(file).catch(() => undefined) })));
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

async function daysLeftOf(file: string): Promise<number | undefined> {
  const found = (await readFile(file, 'latin1')).match(CERTIFICATE) ?? [];
  const ends = found.map((pem) => Date.parse(new X509Certificate(pem).validTo));
  return ends.length === 0 ? undefined : (Math.min(...ends) - Date.now()) / DAY;
}

/** In fewer days somebody should renew it; as in infra/deploy/prometheus/rules.yaml. */
const SOON_DAYS = 21;

/** How long certificates are valid. */
export const CERTIFICATES = defineSection({
  name: 'certificates',
  texts: inBoth({
    da: {
      title: 'Certifikater',
      none: 'WATCH_CERTIFICATES nævner ingen.',
      file: 'Fil',
      left: 'Gyldigt endnu',
      unreadable: 'kan ikke læses',
      days: (days: string) => `${days} dage`,
      some: {
        one: '1 certifikat udløber snart eller kan ikke læses',
        more: (count: string) => `${count} certifikater udløber snart eller kan ikke læses`,
      },
    },
    en: {
      title: 'Certificates',
      none: 'WATCH_CERTIFICATES names none.',
      file: 'File',
      left: 'Still valid for',
      unreadable: 'cannot be read',
      days: (days: string) => `${days} days`,
      some: {
        one: '1 certificate expires soon or cannot be read',
        more: (count: string) => `${count} certificates expire soon or cannot be read`,
      },
    },
  }),
  read: ({ config }) => readCertificates(config.WATCH_CERTIFICATES ?? []),
  view(certificates, texts, { number, counted }) {
    const soon = certificates.filter(({ daysLeft }) => daysLeft === undefined || daysLeft < SOON_DAYS).length;
    return {
      title: texts.title,
      concern: soon > 0 ? counted(soon, texts.some) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.file, of: ({ file }) => html`<code>${file}</code>` },
          {
            heading: texts.left,
            of: ({ daysLeft }) =>
              daysLeft === undefined ? texts.unreadable : texts.days(number(Math.floor(daysLeft))),
            isNumber: true,
          },
        ],
        certificates,
        texts.none,
      ),
    };
  },
});
