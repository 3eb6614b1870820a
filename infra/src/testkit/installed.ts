import { execFile } from 'node:child_process';

/** Whether a program is installed, whatever its exit status with these arguments. */
export function isInstalled(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, (error) => resolve(error?.code !== 'ENOENT'));
  });
}
