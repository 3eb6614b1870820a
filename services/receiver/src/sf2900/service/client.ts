import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { SECOND } from '@indbakke/shared/config';
import type { ReceiverConfig } from '../../config.js';
import { SOAP_ACTIONS } from '../wsdl/namespaces.js';
import type { SendOutcome } from './outcome.js';
import { type Posting, post } from './post.js';
import { type Answered, readAnswer } from './read-answer.js';

/** Calls Serviceplatformen’s Distribution/3 service. */
export interface DistributionClient {
  /** Never fails: what came of it is in the outcome. @param envelope of SOAP 1.1, UTF-8 */
  call(operation: keyof typeof SOAP_ACTIONS, envelope: string): Promise<SendOutcome<Answered>>;
}

type ServiceSettings = Pick<
  ReceiverConfig,
  | 'SF2900_SERVICE_URL'
  | 'SF2900_SERVICE_KEY_FILE'
  | 'SF2900_SERVICE_CERTIFICATE_FILE'
  | 'SF2900_SERVICE_CA_FILE'
  | 'SF2900_SERVICE_SECONDS'
>;

/**
 * The client of the service at SF2900_SERVICE_URL. Each call reads the files, so a renewed certificate needs no restart.
 *
 * @returns undefined when there is no such service
 * @throws Error with a sentence that names the settings at fault
 */
export async function openDistributionClient(config: ServiceSettings): Promise<DistributionClient | undefined> {
  const { SF2900_SERVICE_URL: url } = config;
  if (url === undefined) return undefined;
  await readTls(url, config);
  return {
    async call(operation, envelope) {
      const tls = await readTls(url, config).catch(() => undefined);
      if (!tls) return { code: 'tls', status: undefined, faultCodes: [] };
      const answer = await post({
        url,
        headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${SOAP_ACTIONS[operation]}"` },
        body: envelope,
        limitMs: config.SF2900_SERVICE_SECONDS * SECOND,
        tls,
      });
      if (typeof answer === 'string') return { code: answer, status: undefined, faultCodes: [] };
      return readAnswer(operation, answer);
    },
  };
}

/** What TLS needs; nothing for a service on this machine without. @throws Error that names the settings at fault */
async function readTls(url: string, config: ServiceSettings): Promise<Posting['tls']> {
  if (!url.startsWith('https:')) return {};
  const {
    SF2900_SERVICE_KEY_FILE: keyFile,
    SF2900_SERVICE_CERTIFICATE_FILE: certificateFile,
    SF2900_SERVICE_CA_FILE: caFile,
  } = config;
  if (!keyFile || !certificateFile) {
    throw new Error(
      'SF2900_SERVICE_URL: needs SF2900_SERVICE_KEY_FILE and SF2900_SERVICE_CERTIFICATE_FILE, by which the service knows us.',
    );
  }
  try {
    const [key, cert, ca] = await Promise.all([
      readFile(keyFile, 'utf8'),
      readFile(certificateFile, 'utf8'),
      caFile && readFile(caFile, 'utf8'),
    ]);
    const tls = { key, cert, ...(ca && { ca }) };
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    const settings = 'SF2900_SERVICE_KEY_FILE, SF2900_SERVICE_CERTIFICATE_FILE or SF2900_SERVICE_CA_FILE';
    throw new Error(`${settings}: ${(cause as Error).message.replace(/\.$/, '')}.`, { cause });
  }
}
