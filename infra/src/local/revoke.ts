import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { MAX_LIFE_SECONDS, type Revoked, revocableOf, revoke } from '@indbakke/shared/access';
import { INSTALLATION, recordAudit } from '@indbakke/shared/audit';
import { CommonConfig, SECOND } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';
import { decodeJwt } from 'jose';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { withParts } from './with-parts.js';

const USAGE = `npm run -s revoke < FILE                                revokes the token in the file, by its jti
npm run -s revoke -- --session SID [--issuer ISSUER]    all tokens and page sessions of one sign-in at the issuer
npm run -s revoke -- --user SUB [--issuer ISSUER]       all that the user has by now; who signs in again gets in

The token comes on standard input, so that no list of processes shows it. SID and SUB are the claims sid and sub; ISSUER is TOKEN_ISSUER
unless it is given. Page sessions end at once, tokens within 30 seconds. Takes the settings of a service from the environment; without
DATABASE_URL, those of npm start.`;

const DONE = {
  token: 'The token is revoked: it is refused within 30 seconds.',
  session: 'The sign-in is revoked: its page sessions have ended, and its tokens are refused within 30 seconds.',
  user: 'All sign-ins of the user are revoked: the page sessions have ended, and the tokens are refused within 30 seconds.',
};

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('revoke', ['session', 'user', 'issuer']);
  const { values } = parseArgs({
    options: {
      session: { type: 'string' },
      user: { type: 'string' },
      issuer: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  if (values.session !== undefined && values.user !== undefined) throw new Error(`Name one of them.\n\n${USAGE}`);
  const token = values.session ?? values.user ?? (process.stdin.isTTY ? '' : (await text(process.stdin)).trim());
  if (token === '') throw new Error(`Name what to revoke.\n\n${USAGE}`);
  return withParts('revoke', CommonConfig, async (parts, { TOKEN_ISSUER }) => {
    const issuer = values.issuer ?? TOKEN_ISSUER;
    if (values.session !== undefined) return revokeNow(parts, { issuer, kind: 'session', id: values.session });
    if (values.user !== undefined) return revokeNow(parts, { issuer, kind: 'user', id: values.user });
    return revokeNow(parts, idOf(token));
  });
});

function idOf(token: string): Revoked {
  let claims: ReturnType<typeof decodeJwt>;
  try {
    claims = decodeJwt(token);
  } catch {
    throw new Error('Standard input is not a token.');
  }
  const { issuer, token: id } = revocableOf(claims);
  if (id === undefined) throw new Error('The token has no jti. Revoke its session (--session) or its user (--user).');
  return { issuer, kind: 'token', id };
}

async function revokeNow(parts: Parts, revoked: Revoked): Promise<string> {
  const at = new Date();
  await revoke(parts, revoked, at, new Date(at.getTime() + MAX_LIFE_SECONDS * SECOND));
  const by = { municipality: INSTALLATION, actor: { kind: 'system', id: 'revoke' } } as const;
  await recordAudit(parts.store, { by, at, action: 'sign-in-revoked', details: { kind: revoked.kind } });
  return DONE[revoked.kind];
}
