import { join } from 'node:path';
import { withDatabase } from '../local/database.js';
import type { SentReceipt } from '../local/distribution/stand-in.js';
import type { TokenRequest } from '../local/issuer.js';
import { startPostgres } from '../local/postgres/postgres.js';
import { registerMunicipality } from '../local/register-municipality.js';
import { LOCAL_DATABASE } from '../local/settings.js';
import { startLocalStack } from '../local/stack.js';
import type { StatePaths } from '../local/state.js';
import { withOwnState } from '../testkit/own-state.js';
import { issueToken } from '../testkit/set-up.js';
import { Backstage } from './backstage.js';
import { NEIGHBOUR } from './people.js';

/** The stack of the demo. */
export interface OwnStack {
  readonly url: string;
  readonly backstage: Backstage;
  /** Where Fordelingskomponenten puts files of documents. */
  readonly inFolder: string;
  /** Business receipts that have reached the systems that sent the documents. */
  readonly receipts: readonly SentReceipt[];
  /** For temporary files. */
  readonly folder: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  issueToken(request: TokenRequest): Promise<string>;
}

// From the environment only STATE_DIR is used: the demo must never reach a real database.
const SETTINGS = { PORT: '0', LOG_LEVEL: 'silent', SHUTDOWN_SECONDS: '5', SF2900_RECEIPT_DELAY_SECONDS: '0' };

/**
 * Runs `work` with a new local stack on a free port. Its state folder is removed at the end, even after a failure or
 * Ctrl-C.
 */
export function withOwnStack<T>(signal: AbortSignal, work: (stack: OwnStack) => Promise<T>): Promise<T> {
  return withOwnState(async (paths) => {
    const receipts: SentReceipt[] = [];
    const running = await startLocalStack({ paths, env: SETTINGS, onReceipt: (receipt) => receipts.push(receipt) });
    try {
      signal.throwIfAborted();
      return await withDatabaseOwner(paths, async (ownerUrl) => {
        await registerMunicipality(ownerUrl, NEIGHBOUR);
        return work({
          url: running.url,
          backstage: new Backstage(ownerUrl, paths.content),
          inFolder: join(paths.sftp, 'IN'),
          receipts,
          folder: paths.root,
          signal,
          issueToken: (request) => issueToken(paths, request),
        });
      });
    } finally {
      await running.close();
    }
  });
}

/** startPostgres adopts the server of the stack; stop() leaves it running, because the stack uses it. */
async function withDatabaseOwner<T>({ root }: StatePaths, work: (ownerUrl: string) => Promise<T>): Promise<T> {
  const postgres = await startPostgres({ stateDir: root });
  try {
    return await work(withDatabase(postgres.url, LOCAL_DATABASE));
  } finally {
    await postgres.stop();
  }
}
