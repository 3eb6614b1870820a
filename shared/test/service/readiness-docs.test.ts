import { it } from 'vitest';
import { expectListed } from '../../../infra/test/support/generated-list.js';
import { REASONS } from '../../src/readiness/index.js';

// UPDATE_DOCS=1 npm test -- shared/test/service/readiness-docs.test.ts    updates the lists.

it('docs/monitoring.md lists every state of /readyz, and what to do', () => {
  // `failing` is said once for all.
  const lists = Object.entries(REASONS).map(([part, reasons]) => {
    const others = Object.entries(reasons).filter(([state]) => state !== 'failing');
    const usual = others[0]?.[1].http;
    const lines = others.map(
      ([state, { http, meaning }]) => `- \`${state}\`${http === usual ? '' : ` (${http})`}: ${meaning}\n`,
    );
    return `\n**${part}** (${usual})\n\n${lines.join('')}`;
  });
  expectListed('docs/monitoring.md', 'readiness', `${lists.join('')}\n`);
});
