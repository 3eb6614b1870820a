import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * Runs one of our commands, as built, in its own process in the repository.
 *
 * @param command below infra/dist/local, without extension
 * @param env added to the environment of this process; undefined removes a variable
 */
export function launchCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<CommandResult> } {
  const file = fileURLToPath(new URL(`../../dist/local/${command}.js`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing. Build first: npm run build.`);
  const child = spawn(process.execPath, [file, ...args], {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = once(child, 'exit');
  const ended = Promise.all([text(child.stdout), text(child.stderr), end]).then(
    ([output, errors, [status]]): CommandResult => ({ output, errors, status }),
  );
  return { child, ended };
}
