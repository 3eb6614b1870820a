/**
 * Runs a command: prints its result, or its error message with exit status 1.
 *
 * @param usage shown when the arguments are wrong
 */
export async function runCommand(usage: string, command: () => Promise<string>): Promise<void> {
  try {
    const output = await command();
    if (output) process.stdout.write(`${output}\n`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const badArguments = code?.startsWith('ERR_PARSE_ARGS') || error instanceof BadArgument;
    process.stderr.write(`${message}\n${badArguments ? `\n${usage}\n` : ''}`);
    process.exitCode = 1;
  }
}

/** The usage is shown with it. */
export class BadArgument extends Error {}

/** @throws BadArgument when an option is given that is none of `all` */
export function oneOf<T extends string>(option: string, given: string | undefined, all: readonly T[]): T | undefined {
  const found = all.find((each) => each === given);
  if (given !== undefined && found === undefined) throw new BadArgument(`--${option} is one of ${all.join(', ')}.`);
  return found;
}

/**
 * Without `--`, as in `npm run send FILE --soap`, npm takes --soap itself and drops it with only a warning.
 *
 * @throws Error when npm took one of these options
 */
export function rejectOptionsTakenByNpm(command: string, options: readonly string[]): void {
  const taken = options.filter((option) => process.env[`npm_config_${option.replaceAll('-', '_')}`] !== undefined);
  if (taken.length === 0) return;
  const names = taken.map((option) => `--${option}`).join(', ');
  throw new Error(`npm took ${names} for itself. Put -- before the options of this command: npm run ${command} -- …`);
}
