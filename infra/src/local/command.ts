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
