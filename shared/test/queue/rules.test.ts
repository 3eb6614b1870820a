import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// A handler never sees BullMQ's job: only shared/src/queue imports BullMQ, and does not use these.

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const filesWith = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(join(source, file), 'utf8')));

describe('of BullMQ', () => {
  it('nothing is imported outside the queue folder', () => {
    const importers = filesWith(/from 'bullmq'/);
    expect(importers).not.toEqual([]);
    expect(importers.filter((file) => !file.startsWith('queue/'))).toEqual([]);
  });

  it.each([
    [
      'no handler postpones its job, which might then end without running (bullmq#4814)',
      /moveToDelayed|DelayedError|WaitingError/,
    ],
    ['nothing writes the log of a job (bullmq#4682)', /\bjob\??\.log\(|addJobLog/],
  ])('%s', (_rule, pattern) => {
    expect(filesWith(pattern)).toEqual([]);
  });
});
