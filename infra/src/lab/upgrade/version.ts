import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../../../../tools/local-state.mjs';
import type { SetUp } from '../crash/stage.js';

const run = promisify(execFile);

/** A version of Indbakke, installed and built in a folder. */
export interface Version {
  /** As the table names it. */
  readonly name: string;
  readonly folder: string;
  /** Its services: a process each. */
  readonly services: readonly string[];
}

/** What is built here. */
export function thisVersion(): Version {
  return { name: 'this version', folder: repository, services: servicesIn(repository) };
}

function servicesIn(folder: string): string[] {
  return readdirSync(join(folder, 'services')).filter((name) =>
    existsSync(join(folder, 'services', name, 'dist', 'main.js')),
  );
}

/** The newest tag before the commit that is checked out; undefined when there is none, or no git. */
export async function lastRelease(): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['describe', '--tags', '--abbrev=0', 'HEAD^'], { cwd: repository });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/**
 * Takes the version of a commit or tag into a folder, and installs and builds it by its own means.
 *
 * @throws Error with a sentence
 */
export async function takeVersion(ref: string, folder: string, report: (line: string) => void): Promise<Version> {
  const commit = await commitOf(ref);
  const archive = join(folder, '..', `${commit}.tar`);
  await run('git', ['archive', '--format=tar', '-o', archive, commit], { cwd: repository });
  mkdirSync(folder, { recursive: true });
  await run('tar', ['-xf', archive, '-C', folder]);
  const isSame = linkPackages(folder);
  report(`building ${ref} (${commit.slice(0, 7)})${isSame ? ', with the packages that are installed here' : ''}…`);
  // What was built here of the same sources is taken from there.
  const env = { ...process.env, TURBO_CACHE_DIR: join(repository, '.turbo', 'cache') };
  await run(process.execPath, [join(folder, 'tools', 'run.mjs'), 'prepare'], {
    cwd: folder,
    env,
    maxBuffer: 2 ** 26,
  }).catch((error: { stderr?: string }) => {
    throw new Error(`${ref} cannot be built:\n${error.stderr ?? error}`);
  });
  return { name: ref, folder, services: servicesIn(folder) };
}

async function commitOf(ref: string): Promise<string> {
  try {
    const { stdout } = await run('git', ['rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`], {
      cwd: repository,
    });
    return stdout.trim();
  } catch {
    throw new Error(`There is no commit "${ref}" in this clone.`);
  }
}

/** Links the packages of this clone, if both need the same ones: but each its own workspaces. @returns whether it did */
function linkPackages(folder: string): boolean {
  const [ours, theirs] = [repository, folder].map((each) => readFileSync(join(each, 'package-lock.json'), 'utf8'));
  const installed = join(repository, 'node_modules');
  if (ours !== theirs || !existsSync(installed)) return false;
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(installed)) {
    const from = join(installed, name);
    if (name !== '@indbakke') symlinkSync(from, join(packages, name));
    else {
      mkdirSync(join(packages, name));
      for (const workspace of readdirSync(from)) {
        const link = readlinkSync(join(from, workspace));
        const target = resolve(packages, name, link);
        if (existsSync(target)) symlinkSync(link, join(packages, name, workspace));
      }
    }
  }
  return true;
}

/** One of its commands, as an operator runs it. @throws Error with what it prints */
export async function runCommandOf(
  { folder, name }: Version,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn(process.execPath, [join(folder, 'infra', 'dist', 'local', `${command}.js`), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${command} of ${name} failed: ${errors.trim()}`);
}

/** Makes a database ready as this version does. */
export function setUpBy(version: Version, folder: string): SetUp {
  return {
    migrate: (ownerUrl) => runCommandOf(version, 'migrate', [], { DATABASE_OWNER_URL: ownerUrl }),
    async register(ownerUrl, registrations) {
      for (const { cvr, name } of registrations) {
        const file = join(folder, `${cvr}.yaml`);
        writeFileSync(file, `cvr: "${cvr}"\nname: ${name}\n`);
        await runCommandOf(version, 'municipality', ['apply', file], { DATABASE_OWNER_URL: ownerUrl });
      }
    },
  };
}
