import type { Request } from 'express';
import { actingFor, type Principal, principalIn, type TokenVerifier } from '../access/index.js';
import { Problem } from '../errors/index.js';

/** CVR number: which municipality the call is for, where the token has rights in several. */
const MUNICIPALITY = 'indbakke-municipality';
/** The user’s own token, where the caller is a system that acts for a user. */
const ON_BEHALF_OF = 'indbakke-on-behalf-of';

/**
 * Who calls, in the municipality that the call names or the token has.
 *
 * @param token of the caller: a user’s, or a system’s
 * @throws Problem not-signed-in, unavailable (TokenVerifier), municipality-required or bad-request
 */
export async function callerOf(tokens: TokenVerifier, req: Request, token: string): Promise<Principal> {
  const municipality = readMunicipality(req);
  const caller = principalIn(await tokens.verify(token), municipality);
  const usersToken = readOnce(req, ON_BEHALF_OF);
  if (usersToken === undefined) return caller;
  const user = principalIn(await tokens.verify(usersToken), municipality ?? caller.municipality);
  return actingFor(caller, user);
}

function readMunicipality(req: Request): string | undefined {
  const municipality = readOnce(req, MUNICIPALITY);
  if (municipality === undefined || /^\d{8}$/.test(municipality)) return municipality;
  throw new Problem('bad-request', 'Indbakke-Municipality must be a CVR number: eight digits.');
}

/** Of two none counts: a proxy may have looked at the one that we would not read. */
function readOnce(req: Request, name: string): string | undefined {
  const [value, ...others] = req.headersDistinct[name] ?? [];
  if (others.length > 0) throw new Problem('bad-request', `The header ${name} must be there once.`);
  return value;
}
