import { readFile } from 'node:fs/promises';
import { MINUTE } from '@indbakke/shared/config';
import { OwnCertificate } from '@indbakke/shared/http';
import { type Parts, repeat, type Service } from '@indbakke/shared/service';
import { Gauge } from 'prom-client';
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
  if (config.SF1606_CALLERS === 'any') return { callers: () => undefined, refused, sweeps: [recording] };
  if (config.SF1606_CALLERS === 'loopback') return { callers: onlyLoopback, refused, sweeps: [recording] };

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
  observe(parts, lists, certificate);
  return {
    callers: withCertificate(certificates, networks && { networks, format }),
    refused,
    sweeps: [recording, reading],
    ...(certificate && port !== undefined && { secure: { setting: 'SF1606_TLS_PORT', port, certificate } as const }),
  };
}

function observe(
  { metrics }: Pick<Parts, 'metrics'>,
  lists: readonly RevocationList[],
  certificate: OwnCertificate | undefined,
): void {
  const registers = [metrics.registry];
  if (lists.length > 0) {
    new Gauge({
      name: 'indbakke_revocations_left_seconds',
      help: 'How long the lists of SF1606_TLS_REVOKED_FILES are still believed; at 0 nobody can deliver',
      registers,
      collect() {
        this.set(Math.min(...lists.map((list) => list.secondsLeft(Date.now()))));
      },
    });
  }
  if (certificate) {
    new Gauge({
      name: 'indbakke_own_certificate_days_left',
      help: 'Days that the certificate of SF1606_TLS_CERTIFICATE_FILE is still valid',
      registers,
      collect() {
        this.set(certificate.daysLeft());
      },
    });
  }
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
