import { randomBytes } from 'node:crypto';
import { type KeyRing, type WrappedKey, webhookSecretContext } from '@indbakke/shared/keys';
import { Webhook } from 'standardwebhooks';

/** A webhook, as the owner of a secret. */
export interface SecretOwner {
  readonly id: string;
  readonly municipality: string;
}

// As many as a data key has, since it is sealed like one.
const SECRET_BYTES = 32;

const contextOf = ({ id, municipality }: SecretOwner) => webhookSecretContext(id, municipality);

/** A new secret, sealed. */
export function makeSecret(keys: KeyRing, owner: SecretOwner): Promise<WrappedKey> {
  return keys.wrap(randomBytes(SECRET_BYTES), contextOf(owner));
}

/** The secret as receivers have it: `whsec_…`. */
export async function openSecret(keys: KeyRing, owner: SecretOwner, sealed: WrappedKey): Promise<string> {
  const secret = await keys.unwrap(sealed, contextOf(owner));
  return `whsec_${secret.toString('base64')}`;
}

export interface Signed {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/** The headers of Standard Webhooks, with a signature by each secret. */
export function signatureHeaders(secrets: readonly string[], { id, at, body }: Signed): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}
