import { parseArgs } from 'node:util';
import { insertAudit } from '@indbakke/shared/audit';
import {
  countWrappedOtherwise,
  isInUse,
  readKeysOfCopies,
  rewrapAll,
  rotationAudit,
} from '@indbakke/shared/key-rotation';
import {
  addMasterKey,
  type KeyRing,
  type KeySource,
  makeMasterKeyCurrent,
  openKeyRing,
  removeMasterKey,
} from '@indbakke/shared/keys';
import { withMaintenance } from '@indbakke/shared/store';
import { BadArgument, runCommand } from './command.js';
import { ownersKeys } from './owners-keys.js';
import { withOwnerUrl } from './with-owner-url.js';

const USAGE = `npm run rotate-key [-- add | use KEYID | remove KEYID]

Replaces the master key, while everything runs. In this order (docs/backup.md, Rotation of the master key):

  npm run rotate-key -- add             adds a fresh master key to the key file; then restart all services, one after the other
  npm run rotate-key -- use KEYID       has new keys wrapped with it; refused while a process lacks it; then restart all services
  npm run rotate-key                    wraps all other keys anew with it; may be stopped, and run again
  npm run rotate-key -- remove KEYID    removes an old master key from the key file; refused while anything needs it

Uses the database of npm start with its keys, or those named by DATABASE_OWNER_URL and KEY_FILE. With KEYS, add, use and remove change
nothing: they say what to change where KEYS comes from. Exit status 1: refused, or something is still wrapped with another key.`;

const PROGRESS_EVERY_MS = 5_000;

type Connection = Parameters<typeof rewrapAll>[0];

await runCommand(USAGE, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return USAGE;
  const [step, keyId, ...more] = positionals;
  const takesId = step === 'use' || step === 'remove';
  if (more.length > 0 || takesId !== (keyId !== undefined) || (step !== undefined && !takesId && step !== 'add'))
    throw new BadArgument('There is no such step.');
  const source = await ownersKeys();
  const keys = await openKeyRing(source);
  if (step === 'add') return add(source);
  return withOwnerUrl((url) =>
    withMaintenance({ url, name: 'indbakke-rotate-key', isOwner: true }, async (connection) => {
      // The old key may be removed as soon as this says that nothing needs it, so no batch may get lost.
      await connection.query('SET synchronous_commit = on');
      if (step === 'use') return use(connection, source, keys, keyId as string);
      if (step === 'remove') return remove(connection, source, keys, keyId as string);
      return rewrap(connection, keys);
    }),
  );
});

async function add({ KEY_FILE }: KeySource): Promise<string> {
  if (KEY_FILE === undefined)
    return 'The keys come from KEYS. Add a key to "keys" there, of a new id and 32 random bytes in base64 (openssl rand -base64 32), and leave "current". Restart all services, one after the other. Then: npm run rotate-key -- use KEYID';
  const id = await addMasterKey(KEY_FILE);
  return `${KEY_FILE} has the master key ${id}, which is not used yet. Back the file up, put it on every machine, and restart all services, one after the other. Then: npm run rotate-key -- use ${id}`;
}

async function use(connection: Connection, { KEY_FILE }: KeySource, keys: KeyRing, keyId: string): Promise<string> {
  requireKey(keys, keyId);
  await requireEverywhere(connection, keyId);
  if (KEY_FILE === undefined)
    return `The keys come from KEYS. Name ${keyId} in "current" there, since all processes have it, and restart all services. Then: npm run rotate-key`;
  await makeMasterKeyCurrent(KEY_FILE, keyId);
  return `${keyId} is current in ${KEY_FILE}. Put the file on every machine, and restart all services. Then: npm run rotate-key`;
}

async function rewrap(connection: Connection, keys: KeyRing): Promise<string> {
  const { currentKeyId, keyIds } = keys;
  await requireEverywhere(connection, currentKeyId);
  const done = await rewrapWhatCanBe(connection, keys);
  if (done > 0) {
    const { text, values } = insertAudit(rotationAudit(currentKeyId, done));
    await connection.query(text, values);
  }
  // In this order: what a process has wrapped until it ended is counted.
  const others = (await readKeysOfCopies(connection)).filter((copy) => copy.currentKeyId !== currentKeyId);
  const left = await countWrappedOtherwise(connection, currentKeyId);
  const lines = [`Wrapped anew with ${currentKeyId}: ${done} keys.`];
  if (others.length === 0 && left.size === 0) {
    const old = [...keyIds].filter((id) => id !== currentKeyId);
    return [...lines, ...old.map((id) => `Nothing needs ${id} here: npm run rotate-key -- remove ${id}`)].join('\n');
  }
  process.exitCode = 1;
  for (const [id, count] of left)
    lines.push(`Still wrapped with ${id}${keyIds.has(id) ? '' : ', which is not here'}: ${count}.`);
  for (const { services, currentKeyId: used } of others)
    lines.push(
      `A process (${services}) still wraps with ${used ?? 'a key that its version does not tell'}: restart it.`,
    );
  return [...lines, 'Then run this again.'].join('\n');
}

/** Again and again, since others may have locked a row, or wrapped with the old key meanwhile. @returns how many */
async function rewrapWhatCanBe(connection: Connection, keys: KeyRing): Promise<number> {
  const damaged = new Set<string>();
  const progress = progressPrinter(sum(await countWrappedOtherwise(connection, keys.currentKeyId)));
  let done = 0;
  for (let before = -1; before < done; ) {
    before = done;
    done += await rewrapAll(connection, keys, {
      onProgress: (soFar) => progress(before + soFar),
      onDamaged: (where) => damaged.add(where),
    });
  }
  for (const where of damaged) process.stderr.write(`damaged, so that nobody can read its content: ${where}\n`);
  return done;
}

function progressPrinter(total: number): (done: number) => void {
  let shownAt = performance.now();
  return (done) => {
    if (performance.now() < shownAt + PROGRESS_EVERY_MS) return;
    shownAt = performance.now();
    process.stderr.write(`${done} keys of ${Math.max(total, done)} are wrapped anew\n`);
  };
}

async function remove(connection: Connection, { KEY_FILE }: KeySource, keys: KeyRing, keyId: string): Promise<string> {
  requireKey(keys, keyId);
  const using = (await readKeysOfCopies(connection)).find(
    ({ currentKeyId }) => currentKeyId === keyId || currentKeyId === null,
  );
  if (using)
    throw new Error(`A process (${using.services}) may still wrap with ${keyId}: restart it. Nothing was removed.`);
  if (await isInUse(connection, keyId))
    throw new Error(`Keys are still wrapped with ${keyId}: npm run rotate-key. Nothing was removed.`);
  const rest = `Backups from before need it: keep a copy of it offline as long as them.`;
  if (KEY_FILE === undefined)
    return `The keys come from KEYS. Nothing here needs ${keyId}: remove it from "keys" there. ${rest}`;
  await removeMasterKey(KEY_FILE, keyId);
  return `${KEY_FILE} has no ${keyId} any more. Put the file on every machine. ${rest}`;
}

function requireKey(keys: KeyRing, keyId: string): void {
  if (!keys.keyIds.has(keyId))
    throw new Error(`There is no master key ${keyId} here. There are ${[...keys.keyIds].join(', ')}.`);
}

/** Whoever lacks the key could not read what others wrap with it. */
async function requireEverywhere(connection: Connection, keyId: string): Promise<void> {
  const lacking = (await readKeysOfCopies(connection)).filter(({ keyIds }) => !keyIds.includes(keyId));
  if (lacking.length === 0) return;
  const services = lacking.map((copy) => copy.services).join('; ');
  throw new Error(
    `Running processes (${services}) do not have ${keyId} yet: restart them. A killed one counts for 30 seconds. Nothing was changed.`,
  );
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0);
}
