import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DAY } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';

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
