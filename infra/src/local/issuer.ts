import { readFile, writeFile } from 'node:fs/promises';
import { parseRole, ROLES } from '@indbakke/shared/access';
import { LOCAL_ISSUER } from '@indbakke/shared/config';
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';

// What tokens of a local stack are for. Production has an OIDC issuer (docs/access.md).
export const LOCAL_AUDIENCE = 'indbakke';
export const LOCAL_OPERATIONS_AUDIENCE = 'indbakke-operations';

const ALGORITHM = 'EdDSA';

/** Creates the local issuer’s key pair: the private key (mode 0600) and the key set that services verify with. */
export async function createLocalIssuer(privateKeyFile: string, jwksFile: string): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), alg: ALGORITHM, use: 'sig', kid: 'local' };
  await writeFile(jwksFile, JSON.stringify({ keys: [publicJwk] }), { mode: 0o600 });
  await writeFile(privateKeyFile, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600, flag: 'wx' });
}

export interface TokenRequest {
  readonly municipality: string;
  /** User id; a system’s id when `system` is set. */
  readonly user: string;
  readonly roles: readonly string[];
  readonly teams?: readonly string[];
  readonly system?: boolean;
  /** The user whom a system acts for. */
  readonly onBehalfOf?: string;
  /** The claims of data constraints. */
  readonly constraints?: Readonly<Partial<Record<'kle' | 'org_unit' | 'sensitivity' | 'it_system', readonly string[]>>>;
  readonly hours?: number;
}

/**
 * A bearer token of the local issuer.
 *
 * @throws Error for an unknown role or an invalid CVR number
 */
export async function issueLocalToken(privateKeyFile: string, request: TokenRequest): Promise<string> {
  if (!/^\d{8}$/.test(request.municipality)) throw new Error('The municipality is a CVR number: eight digits.');
  const roles = request.roles.map(knownRole);
  const { municipality, teams = [], system = false, onBehalfOf, constraints } = request;
  const claims = { municipality, roles, teams, system, on_behalf_of: onBehalfOf, ...constraints };
  return sign(privateKeyFile, LOCAL_AUDIENCE, claims, request);
}

/**
 * A token of the local issuer for operations, by default with the role Indbakke.Drift.
 *
 * @throws Error for an unknown role
 */
export async function issueOperationsToken(
  privateKeyFile: string,
  {
    roles = ['Indbakke.Drift'],
    ...request
  }: Pick<TokenRequest, 'user' | 'hours'> & Partial<Pick<TokenRequest, 'roles'>>,
): Promise<string> {
  return sign(privateKeyFile, LOCAL_OPERATIONS_AUDIENCE, { roles: roles.map(knownRole) }, request);
}

function knownRole(name: string): string {
  const role = parseRole(name);
  if (!role) throw new Error(`No role has that name. Roles: ${Object.keys(ROLES).join(', ')}.`);
  return role;
}

async function sign(
  privateKeyFile: string,
  audience: string,
  claims: JWTPayload,
  { user, hours = 8 }: Pick<TokenRequest, 'user' | 'hours'>,
): Promise<string> {
  const jwk = JSON.parse(await readFile(privateKeyFile, 'utf8')) as JWK;
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: 'local' })
    .setSubject(user)
    .setIssuer(LOCAL_ISSUER)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${hours}h`)
    .sign(await importJWK(jwk, ALGORITHM));
}
