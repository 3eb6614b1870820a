import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { markIsAlive, newMark } from '../../../../tools/local-state.mjs';
import { renameOrDrop } from './folders.js';
import { environment, type Place, tail } from './place.js';

export const SUPERUSER = 'postgres';

const DRAFT = 'cluster-';

/** Creates the cluster unless it exists; renamed when complete, so that a half-made one is never used. */
export async function createCluster(place: Place, onProgress: (line: string) => void): Promise<void> {
  if (existsSync(place.cluster)) return checkVersion(place);
  onProgress('creating the database cluster');
  for (const name of readdirSync(place.home)) {
    const isLeftOver = name.startsWith(DRAFT) && !markIsAlive(name.slice(DRAFT.length));
    if (isLeftOver) rmSync(join(place.home, name), { recursive: true, force: true });
  }
  const draft = join(place.home, DRAFT + newMark());
  const passwordFile = join(draft, 'password');
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  if (place.account) for (const path of [draft, passwordFile]) chownSync(path, place.account.uid, place.account.gid);
  await initdb(place, draft, passwordFile);
  renameOrDrop(draft, place.cluster);
}

/**
 * PostgreSQL's builtin C.UTF-8 sorts and changes case the same way on every system. Character classes still come from the
 * system's locale, and with plain C pg_trgm drops non-ASCII letters (measured on 18.4: no trigrams with ø), so a UTF-8 locale
 * is preferred.
 */
async function initdb({ account, binaries, home }: Place, draft: string, passwordFile: string): Promise<void> {
  const args = ['-D', join(draft, 'data'), '-U', SUPERUSER, '--pwfile', passwordFile, '--no-instructions'];
  args.push('--auth=scram-sha-256', '--data-checksums', '--encoding=UTF8');
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  let output = '';
  for (const characters of ['C.UTF-8', 'en_US.UTF-8', 'C']) {
    try {
      const options = { ...account, cwd: '/', env: environment() };
      await promisify(execFile)(join(binaries, 'initdb'), [...args, `--lc-ctype=${characters}`], options);
      return;
    } catch (error) {
      const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
      output = stdout + stderr || message;
    }
    if (!output.includes('invalid locale name')) break;
  }
  rmSync(draft, { recursive: true, force: true });
  throw new Error(`The database cluster in ${home} could not be created. initdb:\n${tail(output)}`);
}

function checkVersion({ dataDir, version }: Place): void {
  const created = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
  const installed = version.split('.')[0];
  if (created !== installed) {
    throw new Error(
      `The database in ${dataDir} was created by PostgreSQL ${created}, but ${installed} is installed. Check out the version of this clone that created it, or delete the database with: npm run reset`,
    );
  }
}
