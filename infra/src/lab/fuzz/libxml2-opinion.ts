import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether there is a libxml2 to ask: Debian has it in libxml2-utils. */
export const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;

/**
 * The second opinion on what is well-formed (XML 1.0 and Namespaces in XML 1.0): xmllint, started once for all messages.
 * What libxml2 only warns of is no fault.
 *
 * @returns the faults of each message
 */
export async function faultsByLibxml2(messages: readonly Buffer[]): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-xmllint-'));
  try {
    await Promise.all(
      messages.map((message, index) => writeFile(join(folder, String(index)), withoutSpaceFirst(message))),
    );
    const output = await xmllint(folder, messages.length);
    const faults: string[][] = messages.map(() => []);
    for (const [, index, fault = ''] of output.matchAll(/^(\d+):\d+: (?:parser|namespace|encoding) error : (.*)/gm)) {
      faults[Number(index)]?.push(fault);
    }
    return faults;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function xmllint(folder: string, files: number): Promise<string> {
  const names = Array.from({ length: files }, (_, index) => String(index));
  return new Promise((resolve) => {
    // Its status is that of one file. What it says of each is on standard error.
    execFile('xmllint', ['--noout', '--nonet', ...names], { cwd: folder, maxBuffer: 2 ** 28 }, (_error, _out, said) =>
      resolve(said),
    );
  });
}

/** White space before the XML declaration is let pass by ours on purpose. */
function withoutSpaceFirst(message: Buffer): Buffer {
  const [, mark = '', space = ''] = /^(\xef\xbb\xbf)?([ \t\r\n]*)/.exec(message.toString('latin1', 0, 1_000)) ?? [];
  return Buffer.concat([message.subarray(0, mark.length), message.subarray(mark.length + space.length)]);
}
