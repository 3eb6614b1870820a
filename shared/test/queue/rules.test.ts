import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// A handler never sees the job of BullMQ. So that this holds, only shared/src/queue knows BullMQ; and there, these are not used.

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const filesWith = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(join(source, file), 'utf8')));

describe('of BullMQ', () => {
  it('nothing is imported outside of the queue folder', () => {
    const importers = filesWith(/from 'bullmq'/);
    expect(importers).not.toEqual([]);
    expect(importers.filter((file) => !file.startsWith('queue/'))).toEqual([]);
  });

  it.each([
    [
      'a job is never postponed by its handler: it may end unrun (bullmq#4814)',
      /moveToDelayed|DelayedError|WaitingError/,
    ],
    ['the log of a job is never written (bullmq#4682)', /\bjob\??\.log\(|addJobLog/],
  ])('%s', (_rule, pattern) => {
    expect(filesWith(pattern)).toEqual([]);
  });
});
