import { randomBytes } from 'node:crypto';

const NAME = /^[0-9a-f]{32}$/;
const NAME_SIZE = 16;

/** A random one: no two stores of the world share it, so a blob keeps it when it is moved. */
export const newBlobName = (): string => randomBytes(NAME_SIZE).toString('hex');

export const isBlobName = (text: string): boolean => NAME.test(text);

export function requireBlobName(text: string): void {
  if (!isBlobName(text)) throw new Error('The name of a blob must be 32 hexadecimal digits.');
}
