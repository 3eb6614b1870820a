import {
  commaSeparated,
  commonSettings,
  DAY,
  GiB,
  isOnLoopback,
  KiB,
  MiB,
  networks,
  quarantineSettings,
  replySettings,
  SECOND,
  sealingSettings,
  url,
  wholeNumber,
} from '@indbakke/shared/config';
import { z } from 'zod';

const CLIENT = /^\d{8}\/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

const FINGERPRINT = /^SHA256:[A-Za-z\d+/]{43}$/;
const folder = z.string().regex(/^\//, 'must begin with /');

export const ReceiverConfig = z.object({
  ...commonSettings,
  ...sealingSettings,
  MAX_MESSAGE_BYTES: wholeNumber(1, 2 ** 40)
    .default(110 * MiB)
    .describe('Largest delivery. Digital Post’s limit is 99.5 MB, MB or MiB unknown'),
  MAX_SKELETON_BYTES: wholeNumber(1, 64 * MiB)
    .default(1 * MiB)
    .describe('The same without file contents; this part is held in memory'),
  MAX_FILES: wholeNumber(1, 100_000).default(2_000).describe('Most files in one message'),
  MAX_DEPTH: wholeNumber(10, 1_000).default(64).describe('Deepest nesting of elements; MeMo needs 9, SOAP 3 more'),
  MAX_UPLOADS: wholeNumber(1, 10_000)
    .default(100)
    .describe('Concurrent deliveries; another one must retry later. Each may take some MB of memory'),
  MAX_UPLOAD_SECONDS: wholeNumber(1, 30 * 60)
    .default(30 * 60)
    .describe('A slower delivery must retry: 110 MiB in this time is 0.5 Mbit/s'),
  MIN_UPLOAD_RATE: wholeNumber(0, MiB)
    .default(16 * KiB)
    .describe(
      'Bytes a second, below which a delivery must retry: 0.13 Mbit/s, so 15 at once may share a line of 2 Mbit/s',
    ),
  UPLOAD_RATE_SECONDS: wholeNumber(1, 600)
    .default(30)
    .describe('Over how long the rate is measured, without time in which we were not ready for bytes'),
  UPLOAD_IDLE_SECONDS: wholeNumber(1, 600)
    .default(10)
    .describe('After this long in a row below that rate, a delivery makes room for another when all places are taken'),
  SF1606_CALLERS: z
    .enum(['loopback', 'certificate', 'any'])
    .default('loopback')
    .describe(
      'Who may deliver: this machine only; who shows a certificate that SF1606_TLS_… names; or any (only behind a proxy that verifies certificates)',
    ),
  SF1606_TLS_CLIENTS: commaSeparated
    .refine((list) => list.every((each) => CLIENT.test(each)), 'must be CVR/UUID, with commas between them')
    .transform((list) => list.map((each) => ({ cvr: each.slice(0, 8), uuid: each.slice(9).toLowerCase() })))
    .optional()
    .describe('Systems that may deliver, by the CVR and the UUID of their certificates: 19435075/<UUID>'),
  SF1606_TLS_ISSUERS_FILE: z
    .string()
    .optional()
    .describe('Who may issue their certificates: PEM, one or several, such as “Den Danske Stat OCES udstedende-CA 1”'),
  SF1606_TLS_REVOKED_FILES: commaSeparated
    .optional()
    .describe('Lists of what the issuers revoked (CRL), which something else fetches; none = it is not asked'),
  SF1606_TLS_REVOKED_HOURS: wholeNumber(1, 30 * 24)
    .default(48)
    .describe('How old such a list may be; with an older one, no certificate is taken'),
  SF1606_TLS_PORT: wholeNumber(0, 65_535)
    .optional()
    .describe('Port for deliveries over TLS, with the certificate of SF1606_TLS_CERTIFICATE_FILE'),
  SF1606_TLS_KEY_FILE: z.string().optional().describe('Our key for it (PEM). It is read again when it changes'),
  SF1606_TLS_CERTIFICATE_FILE: z.string().optional().describe('Our certificate for it, and those of its issuers (PEM)'),
  SF1606_TLS_PROXIES: networks
    .optional()
    .describe('Proxies that verify certificates and pass them on: over TLS, or from this machine'),
  SF1606_TLS_PROXY_FORMAT: z
    .enum(['nginx', 'ingress-nginx', 'haproxy', 'envoy', 'traefik'])
    .default('nginx')
    .describe('How they pass them on'),
  SF1606_SOAP: z.enum(['on', 'off']).default('on').describe('on = SOAP as well as REST'),
  SF2900: z
    .enum(['on', 'off'])
    .default('off')
    .describe('on = documents from Fordelingskomponenten are taken too, from who may deliver by SF1606_CALLERS'),
  SF2900_RECEIPT_CODE: z
    .enum(['ACCEPTERET', 'MODTAGET'])
    .default('ACCEPTERET')
    .describe('Code of the technical receipt of a document that is stored; both are seen'),
  SF2900_SFTP_HOST: z
    .string()
    .optional()
    .describe('SFTP server with the files of Fordelingskomponenten: sftp.serviceplatformen.dk; none = no files'),
  SF2900_SFTP_PORT: wholeNumber(1, 65_535).default(22).describe('Its port'),
  SF2900_SFTP_USER: z.string().min(1).optional().describe('Our user there'),
  SF2900_SFTP_KEY_FILE: z
    .string()
    .optional()
    .describe('Our private key for it, without a passphrase (OpenSSH or PEM). It is read for each connection'),
  SF2900_SFTP_HOST_KEYS: commaSeparated
    .refine((list) => list.every((each) => FINGERPRINT.test(each)), 'must be SHA256:…, with commas between them')
    .optional()
    .describe(
      'Fingerprints of its host keys, as ssh-keygen -lf prints them; several, of its key types or for a change',
    ),
  SF2900_SFTP_IN: folder.default('/IN').describe('Folder there with files for us'),
  SF2900_SFTP_OUT: folder.default('/OUT').describe('Folder there for files that we send on'),
  SF2900_SFTP_IDLE_SECONDS: wholeNumber(1, 600)
    .default(60)
    .describe('After this long without an answer (of up to 64 KiB) the connection is given up'),
  SF2900_FILE_HOURS: wholeNumber(1, 30 * 24)
    .default(72)
    .describe('How long a file is asked for; then its message lacks it, and its sender hears that'),
  SF2900_MAX_FILE_BYTES: wholeNumber(1, 2 ** 40)
    .default(1 * GiB)
    .describe('Largest file that is fetched. They come by SFTP since they may be larger than a delivery: ten of those'),
  SF2900_SERVICE_URL: url('http:', 'https:')
    .refine((value) => value.startsWith('https:') || isOnLoopback(value), 'must be https, except on this machine')
    .optional()
    .describe('Serviceplatformen’s Distribution/3, that business receipts are sent to; none = they wait'),
  SF2900_SERVICE_KEY_FILE: z.string().optional().describe('Our key for it (PEM), read again for each call'),
  SF2900_SERVICE_CERTIFICATE_FILE: z
    .string()
    .optional()
    .describe('Our certificate for it, and those of its issuers (PEM)'),
  SF2900_SERVICE_CA_FILE: z
    .string()
    .optional()
    .describe('Who may issue its certificate (PEM); none = the issuers that Node knows'),
  SF2900_SERVICE_SECONDS: wholeNumber(1, 600).default(60).describe('How long a call may take, up to the whole answer'),
  SF2900_SYSTEM_ID: z
    .guid()
    .toLowerCase()
    .optional()
    .describe('UUID of this system as an it-system of the municipality, which registers what it sends on'),
  SF2900_RECEIPT_DELAY_SECONDS: wholeNumber(0, DAY / SECOND)
    .default(300)
    .describe('How long after a journalization or rejection its business receipt is sent; till then it can be undone'),
  QUARANTINE_MAX_BYTES: wholeNumber(0, 2 ** 44)
    .default(4 * GiB)
    .describe('Most bytes in quarantine. Over it, a delivery that cannot be read is only counted'),
  QUARANTINE_MAX_ENTRIES: wholeNumber(0, 10_000).default(1_000).describe('Most entries there; 0 = no quarantine'),
  ...quarantineSettings,
  ...replySettings,
});
export type ReceiverConfig = z.infer<typeof ReceiverConfig>;
