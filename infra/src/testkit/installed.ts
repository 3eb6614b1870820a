import { execFile } from 'node:child_process';

/** Whether a program can be started here, whatever it says to these arguments. */
export function isInstalled(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, (error) => resolve(error?.code !== 'ENOENT'));
  });
}
