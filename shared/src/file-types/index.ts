/** What a file is by its first bytes, and what it is said to be. A sniffed type informs; it never permits anything. */
export { detectFormat, HEAD_BYTES } from './detect-format.js';
export { typeDiffers } from './formats.js';
