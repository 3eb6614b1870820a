import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * One of our commands in a process of its own, in the repository, as built: that is what people run, and it starts in a
 * fifth of the time that its source takes.
 *
 * @param command below infra/dist/local, without extension
 * @param env over the environment of this process; undefined takes a variable away
 */
export function launchCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const file = fileURLToPath(new URL(`../../dist/local/${command}.js`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing. Build first: npm run build.`);
  const child = spawn(process.execPath, [file, ...args], {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = once(child, 'exit');
  const ended = Promise.all([text(child.stdout), text(child.stderr), end]).then(
    ([output, errors, [status]]): Ended => ({ output, errors, status }),
  );
  return { child, ended };
}
