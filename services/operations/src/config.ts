import {
  auditSettings,
  commaSeparated,
  commonSettings,
  GiB,
  MiB,
  quarantineSettings,
  secret,
  url,
  wholeNumber,
} from '@indbakke/shared/config';
import { NightlyWindow } from '@indbakke/shared/danish-time';
import { z } from 'zod';

export const OperationsConfig = z.object({
  ...commonSettings,
  ...auditSettings,
  ...quarantineSettings,
  OPS_OIDC_ISSUER: url('https:', 'http:')
    .optional()
    .describe('OpenID Connect issuer that signs operators in to /ops; not set = with a token'),
  OPS_OIDC_CLIENT_ID: z.string().min(1).default('indbakke-operations').describe('Our client id there'),
  OPS_OIDC_CLIENT_SECRET: secret(z.string().min(1)).optional().describe('Our secret there; not set = a public client'),
  OPS_OIDC_SCOPE: z.string().min(1).default('openid').describe('What we ask for there; the id token must have roles'),
  LEDGER_URL: url('file:', 's3:')
    .optional()
    .describe('Place of the ledger: file:///folder or s3://bucket/prefix; default: BLOB_URL with -ledger at its end'),
  LEDGER_WINDOW: NightlyWindow.default('00:15-06:00').describe(
    'When the content of some days is read and compared with its hashes, by Danish clocks; off = by hand only',
  ),
  LEDGER_BYTES_PER_SECOND: wholeNumber(MiB, GiB)
    .default(16 * MiB) // 330 GB a night, 9 TB in 28 nights
    .describe('How fast that is read'),
  DATABASE_MAX_BYTES: wholeNumber(1, 2 ** 50)
    .optional()
    .describe('What the database may grow to: by it is reckoned when it is full'),
  WATCH_CERTIFICATES: commaSeparated
    .optional()
    .describe('Files with certificates (PEM) whose last day is watched, with commas between them'),
});
export type OperationsConfig = z.infer<typeof OperationsConfig>;
