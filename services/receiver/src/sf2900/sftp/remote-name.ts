import { SftpFault } from './faults.js';

const MAX_NAME_BYTES = 255; // what file systems of servers take
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const NOT_IN_NAMES = /[/\\\u0000-\u001f\u007f-\u009f]/;

/** Whether a name that a stranger gave is one of a file in a folder of the SFTP server: a plain name, never a path. */
export function isRemoteName(name: string): boolean {
  const isPlain = name !== '' && name !== '.' && name !== '..' && !NOT_IN_NAMES.test(name);
  return isPlain && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/**
 * The name, if it is one.
 * @throws SftpFault wrong-name
 */
export function remoteNameOf(name: string): string {
  if (!isRemoteName(name)) throw new SftpFault('wrong-name');
  return name;
}
