import {
  commaSeparated,
  commonSettings,
  isNetwork,
  replySettings,
  sealingSettings,
  secret,
  url,
  wholeNumber,
} from '@indbakke/shared/config';
import { z } from 'zod';

const HOST = /^(?!\d+(\.\d+)*$)[a-z\d]([a-z\d.-]*[a-z\d])?$/i;

export const JournalerConfig = z.object({
  ...commonSettings,
  EVENTS_KEEP_DAYS: wholeNumber(1, 3_650)
    .default(30)
    .describe('Days that events stay in the change feed, and their deliveries to webhooks'),
  ...sealingSettings,
  ...replySettings,
  JOURNALIZE_UNKNOWN_CASES: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe('Whether a message may be journalized on a case that the core has not registered'),
  INBOX_OIDC_ISSUER: url('https:', 'http:')
    .optional()
    .describe('OpenID Connect issuer that signs people in to /inbox; not set = with a token'),
  INBOX_OIDC_CLIENT_ID: z.string().min(1).default('indbakke-inbox').describe('Our client id there'),
  INBOX_OIDC_CLIENT_SECRET: secret(z.string().min(1))
    .optional()
    .describe('Our secret there; not set = a public client'),
  INBOX_OIDC_SCOPE: z
    .string()
    .min(1)
    .default('openid')
    .describe('What we ask for there; the id token must have the claims of a token'),
  SUGGEST_CONCURRENCY: wholeNumber(1, 256).default(128).describe('Concurrent suggestion jobs'),
  WEBHOOK_ALLOW: commaSeparated
    .refine(
      (list) => list.every((each) => isNetwork(each) || HOST.test(each)),
      'must be host names, addresses or networks, such as core.internal,10.1.0.0/16, with commas between them',
    )
    .optional()
    .describe('Hosts and networks that webhooks may have although they are not public'),
});
export type JournalerConfig = z.infer<typeof JournalerConfig>;
