/**
 * Runs a command of the command line: prints what it gives, or its error as a sentence, with exit status 1.
 *
 * @param usage shown when the arguments do not fit
 */
export async function runCommand(usage: string, command: () => Promise<string>): Promise<void> {
  try {
    const output = await command();
    if (output) process.stdout.write(`${output}\n`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const badArguments = code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`${message}\n${badArguments ? `\n${usage}\n` : ''}`);
    process.exitCode = 1;
  }
}

/**
 * `npm run send FILE --soap` without `--` gives --soap to npm, which drops it with no more than a warning.
 *
 * @throws Error in a sentence when npm kept one of these options for itself
 */
export function refuseWhatNpmKept(command: string, options: readonly string[]): void {
  const kept = options.filter((option) => process.env[`npm_config_${option.replaceAll('-', '_')}`] !== undefined);
  if (kept.length === 0) return;
  const names = kept.map((option) => `--${option}`).join(', ');
  throw new Error(`npm kept ${names} for itself. Write -- before what is for this command: npm run ${command} -- …`);
}
