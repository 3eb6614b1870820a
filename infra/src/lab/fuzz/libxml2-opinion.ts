import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian package libxml2-utils. */
export const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;

// libxml2 only warns of a version that is none (XML 1.0, production 26).
const FAULT =
  /^(\d+):\d+: (?:parser error|namespace error|encoding error|parser warning(?= : Unsupported version '(?!1\.\d+'))) : (.*)/gm;

/**
 * A second opinion on well-formedness (XML 1.0 and Namespaces in XML 1.0): one run of xmllint for all messages.
 *
 * @returns the faults of each message
 */
export async function faultsByLibxml2(messages: readonly Buffer[]): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-xmllint-'));
  try {
    await Promise.all(
      messages.map((message, index) => writeFile(join(folder, String(index)), asLibxml2WouldHaveIt(message))),
    );
    const output = await xmllint(folder, messages.length);
    const faults: string[][] = messages.map(() => []);
    for (const [, index, fault = ''] of output.matchAll(FAULT)) faults[Number(index)]?.push(fault);
    return faults;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function xmllint(folder: string, files: number): Promise<string> {
  const names = Array.from({ length: files }, (_, index) => String(index));
  return new Promise((resolve) => {
    // The exit status is that of one file; standard error has the faults of each.
    execFile(
      'xmllint',
      ['--noout', '--nonet', ...names],
      { cwd: folder, maxBuffer: 2 ** 28 },
      (_error, _stdout, stderr) => resolve(stderr),
    );
  });
}

const ENCODING = /(^<\?xml[^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*)("[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*')/;

/**
 * On purpose our parser accepts white space before the XML declaration; and it takes no encoding from a declaration after a
 * byte order mark, nor UTF-16 from one that can be read.
 */
function asLibxml2WouldHaveIt(message: Buffer): Buffer {
  const head = message.toString('latin1', 0, 1_000);
  const [, mark = '', text = head] = /^(\xef\xbb\xbf)?[ \t\r\n]*(<.*)/s.exec(head) ?? [];
  const labelled = text.replace(ENCODING, (whole, before: string, label: string) => {
    return mark !== '' || /^.(?:utf|ucs)[-_]?(?:16|32|2|4)/i.test(label) ? `${before}"UTF-8"` : whole;
  });
  return Buffer.concat([Buffer.from(mark + labelled, 'latin1'), message.subarray(1_000)]);
}
