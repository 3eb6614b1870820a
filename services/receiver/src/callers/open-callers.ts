import { readFile } from 'node:fs/promises';
import { MINUTE } from '@indbakke/shared/config';
import { OwnCertificate } from '@indbakke/shared/http';
import { observe } from '@indbakke/shared/metrics';
import { type Parts, repeat, type Service } from '@indbakke/shared/service';
import type { ReceiverConfig } from '../config.js';
import { type CallerRules, onlyLoopback, withCertificate } from './callers.js';
import { ClientCertificates } from './client-certificates.js';
import { RefusedCallers } from './refused-callers.js';
import { RevocationList } from './revocation-list.js';

/** Who may deliver, and what keeps that up to date. */
export interface OpenedCallers extends CallerRules, Pick<Service, 'secure' | 'sweeps'> {}

/** @throws Error with a sentence that names the setting at fault */
export async function openCallers(
  parts: Pick<Parts, 'log' | 'metrics' | 'store'>,
  config: ReceiverConfig,
): Promise<OpenedCallers> {
  const refused = new RefusedCallers();
  const recording = repeat('record-refused-callers', MINUTE, parts.log, () => refused.record(parts));
  if (config.SF1606_CALLERS !== 'certificate') {
    show(parts);
    const callers = config.SF1606_CALLERS === 'any' ? () => undefined : onlyLoopback;
    return { callers, refused, sweeps: [recording] };
  }

  const issuers = await readNamed(config, 'SF1606_TLS_ISSUERS_FILE');
  const lists = (config.SF1606_TLS_REVOKED_FILES ?? []).map(
    (file) => new RevocationList(file, config.SF1606_TLS_REVOKED_HOURS),
  );
  const certificates = await named('SF1606_TLS_ISSUERS_FILE', async () => {
    const clients = required(config, 'SF1606_TLS_CLIENTS');
    return new ClientCertificates({ issuers, clients, revocationLists: lists });
  });
  await named('SF1606_TLS_REVOKED_FILES', () => certificates.refresh());
  const reading = repeat('read-revocations', MINUTE, parts.log, () => certificates.refresh());
  const { SF1606_TLS_PORT: port, SF1606_TLS_PROXIES: networks, SF1606_TLS_PROXY_FORMAT: format } = config;
  const certificate =
    port === undefined
      ? undefined
      : new OwnCertificate(
          required(config, 'SF1606_TLS_KEY_FILE'),
          required(config, 'SF1606_TLS_CERTIFICATE_FILE'),
          issuers,
        );
  if (!certificate && !networks) {
    throw new Error(
      'SF1606_CALLERS: certificate needs SF1606_TLS_PORT, or SF1606_TLS_PROXIES, or nobody could deliver.',
    );
  }
  show(parts, lists, certificate);
  return {
    callers: withCertificate(certificates, networks && { networks, format }),
    refused,
    sweeps: [recording, reading],
    ...(certificate && port !== undefined && { secure: { setting: 'SF1606_TLS_PORT', port, certificate } as const }),
  };
}

function show(
  { metrics }: Pick<Parts, 'metrics'>,
  lists: readonly RevocationList[] = [],
  certificate: OwnCertificate | undefined = undefined,
): void {
  observe(
    metrics,
    'revocations_left_seconds',
    'How long the lists of SF1606_TLS_REVOKED_FILES are still believed; at 0 nobody can deliver',
    [],
    async () => (lists.length === 0 ? undefined : Math.min(...lists.map((list) => list.secondsLeft(Date.now())))),
  );
  observe(
    metrics,
    'own_certificate_days_left',
    'Days that the certificate of SF1606_TLS_CERTIFICATE_FILE is still valid',
    [],
    async () => certificate?.daysLeft(),
  );
}

type Setting = Extract<keyof ReceiverConfig, `SF1606_TLS_${string}`>;

function required<Name extends Setting>(config: ReceiverConfig, name: Name): NonNullable<ReceiverConfig[Name]> {
  const value = config[name];
  if (value === undefined) throw new Error(`${name} is missing: SF1606_CALLERS is certificate.`);
  return value as NonNullable<ReceiverConfig[Name]>;
}

const readNamed = (config: ReceiverConfig, name: 'SF1606_TLS_ISSUERS_FILE') =>
  named(name, () => readFile(required(config, name), 'utf8'));

async function named<Value>(setting: Setting, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(message.startsWith('SF1606_') ? message : `${setting}: ${message.replace(/\.$/, '')}.`, { cause });
  }
}
