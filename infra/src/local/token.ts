import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ROLES } from '@indbakke/shared/access';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { issueLocalToken, issueOperationsToken } from './issuer.js';
import { issuerKeyOf } from './settings.js';
import { statePaths } from './state.js';

const USAGE = `npm run token -- --municipality CVR --user ID --role ROLE[,ROLE…] [--team ID[,ID…]] [--hours N]
npm run token -- --municipality CVR --system [--user ID]     as the DUBU core (role Indbakke.System)
npm run token -- --operations [--user ID] [--role ROLE[,…]]  for operations (no municipality; role Indbakke.Drift)

Prints a bearer token from this machine's local issuer. Roles:
${Object.entries(ROLES)
  .map(([role, does]) => `  ${role.padEnd(33)}${does}`)
  .join('\n')}`;

const MAX_HOURS = 30 * 24;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('token', ['municipality', 'user', 'role', 'team', 'system', 'operations', 'hours']);
  const { values } = parseArgs({
    options: {
      municipality: { type: 'string' },
      user: { type: 'string' },
      role: { type: 'string', multiple: true, default: [] },
      team: { type: 'string', multiple: true, default: [] },
      system: { type: 'boolean', default: false },
      operations: { type: 'boolean', default: false },
      hours: { type: 'string', default: '8' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  const { municipality, system, operations } = values;
  const hours = Number(values.hours);
  if (!Number.isInteger(hours) || hours < 1 || hours > MAX_HOURS)
    throw new Error(`--hours must be a whole number from 1 to ${MAX_HOURS}.\n\n${USAGE}`);
  const list = (parts: string[]) => parts.flatMap((part) => part.split(',')).filter(Boolean);
  const roles = list(values.role);
  if (operations) {
    if (municipality !== undefined || system) throw new Error(`--operations takes no municipality.\n\n${USAGE}`);
    const request = { user: values.user ?? 'operator', hours };
    return issueOperationsToken(issuerKey(), roles.length > 0 ? { ...request, roles } : request);
  }
  const user = values.user ?? (system ? 'dubu-core' : undefined);
  if (municipality === undefined || user === undefined)
    throw new Error(`--municipality and --user are required.\n\n${USAGE}`);
  if (roles.length === 0 && !system) throw new Error(`A user needs a role: name one with --role.\n\n${USAGE}`);
  return issueLocalToken(issuerKey(), {
    municipality,
    user,
    roles: system ? ['Indbakke.System', ...roles] : roles,
    teams: list(values.team),
    system,
    hours,
  });
});

function issuerKey(): string {
  const key = issuerKeyOf(statePaths());
  if (!existsSync(key)) throw new Error('There is no token issuer here yet. Run npm start once to create one.');
  return key;
}
