import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DAY } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';
import { html } from '../html/html.js';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

export interface MasterKey {
  readonly id: string;
  /** Whether new content is sealed with it. */
  readonly isCurrent: boolean;
  /** Whether the oldest or newest content needs it. */
  readonly isInUse: boolean;
  /** When it was first seen in use. */
  readonly firstAt: Date;
}

export async function readMasterKeys({ store, keys }: Pick<Parts, 'store' | 'keys'>): Promise<MasterKey[]> {
  const rows = await store.sweep<Omit<MasterKey, 'isCurrent'>>(
    `SELECT id, first_at AS "firstAt", id IN (SELECT master_keys_in_use()) AS "isInUse" FROM master_keys ORDER BY first_at`,
  );
  return rows
    .map((row) => ({ ...row, isCurrent: row.id === keys.currentKeyId }))
    .filter(({ isInUse, isCurrent }) => isInUse || isCurrent);
}

/** Notes master keys that are seen for the first time. */
export async function noteMasterKeys({ store, keys }: Pick<Parts, 'store' | 'keys'>): Promise<void> {
  await store.sweep(
    `INSERT INTO master_keys (id, first_at) SELECT id, now() FROM (SELECT master_keys_in_use() AS id UNION SELECT $1) AS used
     ON CONFLICT DO NOTHING`,
    [keys.currentKeyId],
  );
}

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

/** How long certificates are valid, and how old the master keys are. */
export const CERTIFICATES = defineSection({
  name: 'certificates',
  texts: inBoth({
    da: {
      title: 'Certifikater og nøglers alder',
      what: 'Certifikat eller hovednøgle',
      left: 'Gyldigt endnu',
      since: 'I brug siden',
      unreadable: 'kan ikke læses',
      days: (days: string) => `${days} dage`,
      concern: (count: string) => `${count} certifikater udløber snart eller kan ikke læses`,
    },
    en: {
      title: 'Certificates and age of keys',
      what: 'Certificate or master key',
      left: 'Still valid for',
      since: 'In use since',
      unreadable: 'cannot be read',
      days: (days: string) => `${days} days`,
      concern: (count: string) => `${count} certificates expire soon or cannot be read`,
    },
  }),
  async read(parts) {
    const certificates = await readCertificates(parts.config.WATCH_CERTIFICATES ?? []);
    return { certificates, masterKeys: await readMasterKeys(parts) };
  },
  view({ certificates, masterKeys }, texts, { number, time }) {
    const soon = certificates.filter(({ daysLeft }) => daysLeft === undefined || daysLeft < SOON_DAYS).length;
    const rows = [
      ...certificates.map(({ file, daysLeft }) => ({
        name: file,
        left: daysLeft === undefined ? texts.unreadable : texts.days(number(Math.floor(daysLeft))),
        since: '–',
      })),
      ...masterKeys.map(({ id, firstAt }) => ({ name: id, left: '–', since: time(firstAt) })),
    ];
    return {
      title: texts.title,
      concern: soon > 0 ? texts.concern(number(soon)) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.what, of: ({ name }) => html`<code>${name}</code>` },
          { heading: texts.left, of: ({ left }) => left, isNumber: true },
          { heading: texts.since, of: ({ since }) => since },
        ],
        rows,
      ),
    };
  },
});
