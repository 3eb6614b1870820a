import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// As built, and with the options of npm run demo: npm test builds before it tests.
const DEMO = fileURLToPath(new URL('../dist/demo/main.js', import.meta.url));
const SUMMARY =
  /^demo: 16 messages sent, 10 accepted, 1 held, 2 duplicates, 3 refused; 2 documents from Fordelingskomponenten; 104333312 bytes in .+; all \d+ checks passed in .+ s$/;

it('shows a day in which every check passes', { tags: 'lab', timeout: 120_000 }, async () => {
  const { error, stdout } = await new Promise<{ error: Error | null; stdout: string }>((resolve) => {
    execFile(process.execPath, ['--max-semi-space-size=16', DEMO], (failure, output) =>
      resolve({ error: failure, stdout: output }),
    );
  });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => line.includes('✗'))).toEqual([]);
  expect(lines.at(-1)).toMatch(SUMMARY);
  expect(error).toBeNull();
});
