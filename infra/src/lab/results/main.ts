import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../../../tools/local-state.mjs';
import { runCommand } from '../../local/command.js';
import { INDEX, indexOf } from './index-page.js';

await runCommand('npm run results', async () => {
  const folder = join(repository, 'docs', 'results');
  const { text, summary } = indexOf(folder);
  writeFileSync(join(folder, INDEX), text);
  return `docs/results/${INDEX}: ${summary}`;
});
