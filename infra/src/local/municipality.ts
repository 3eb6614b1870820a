import { type ParseArgsConfig, parseArgs } from 'node:util';
import { cvrNumberOf } from '@indbakke/shared/ids';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { registerMunicipality } from './register-municipality.js';
import { withOwnerUrl } from './with-owner-url.js';

const USAGE = `npm run municipality -- --cvr CVR [--name NAME] [--contact-point ID=NAME]… [--concern-contact-point ID=on|off]…
                       [--replies on|off] [--enquiries on|off] [--late-after-days N]

Adds a municipality, whose messages are accepted from then on, or changes one; options left out change nothing. A new one
needs a name. Replies and enquiries that are off are held instead of shown; they are on by default. Messages of a concern
contact point are marked as possible reports of concern. A message is late when its own date is more than N days (3) older
than its receipt. Uses the database of npm start, or the one named by DATABASE_OWNER_URL. Prints the result.`;

const OPTIONS = {
  cvr: { type: 'string' },
  name: { type: 'string' },
  'contact-point': { type: 'string', multiple: true, default: [] },
  'concern-contact-point': { type: 'string', multiple: true, default: [] },
  replies: { type: 'string' },
  enquiries: { type: 'string' },
  'late-after-days': { type: 'string' },
} as const satisfies NonNullable<ParseArgsConfig['options']>;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('municipality', Object.keys(OPTIONS));
  const { values } = parseArgs({ options: { ...OPTIONS, help: { type: 'boolean', short: 'h', default: false } } });
  if (values.help) return USAGE;
  const { name } = values;
  const cvr = cvrNumberOf(values.cvr ?? '');
  if (cvr === undefined) throw new Error(`--cvr (eight digits) is required.\n\n${USAGE}`);
  const registration = {
    cvr,
    name: name || undefined,
    takesReplies: parseSwitch('--replies', values.replies),
    takesEnquiries: parseSwitch('--enquiries', values.enquiries),
    lateAfterDays: parseDays('--late-after-days', values['late-after-days']),
    contactPoints: [
      ...values['contact-point'].map(parseContactPoint),
      ...values['concern-contact-point'].map(parseConcernContactPoint),
    ],
  };
  const stored = await withOwnerUrl((ownerUrl) => registerMunicipality(ownerUrl, registration));
  const state = [
    `replies ${stored.takesReplies ? 'on' : 'off'}`,
    `enquiries ${stored.takesEnquiries ? 'on' : 'off'}`,
    `${stored.contactPoints} contact point${stored.contactPoints === 1 ? '' : 's'} (${stored.concernContactPoints} of concern)`,
    `late after ${stored.lateAfterDays} day${stored.lateAfterDays === 1 ? '' : 's'}`,
  ];
  return `${stored.cvr} ${stored.name}: ${state.join(', ')}.`;
});

function parseSwitch(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (value !== 'on' && value !== 'off') throw new Error(`${name} must be on or off.\n\n${USAGE}`);
  return value === 'on';
}

function parseContactPoint(text: string): { id: string; name: string } {
  const [, id, name] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!id || !name) throw new Error('Write a contact point as ID=NAME.');
  return { id, name };
}

function parseConcernContactPoint(text: string): { id: string; isConcern: boolean } {
  const [, id, value] = /^(.+)=(on|off)$/.exec(text) ?? [];
  if (!id) throw new Error('Write a concern contact point as ID=on or ID=off.');
  return { id, isConcern: value === 'on' };
}

function parseDays(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new Error(`${name} must be a number of days, 1 or more.\n\n${USAGE}`);
  return Number(value);
}
