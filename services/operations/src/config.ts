import { auditSettings, commonSettings, quarantineSettings, secret, url } from '@indbakke/shared/config';
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
});
export type OperationsConfig = z.infer<typeof OperationsConfig>;
