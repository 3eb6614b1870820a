import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { freePort } from '../../local/free-port.js';
import { isInstalled } from '../../testkit/installed.js';
import type { Place } from './place.js';

const run = promisify(execFile);

/** A mail server that answers 250 when a mail is synced in its queue: trusted for "accepted = stored". */
export interface Postfix {
  /**
   * Sends `mails` mails of `bytes` bytes from `clients` clients, with Postfix's smtp-source.
   * @returns mails a second
   */
  rate(clients: number, bytes: number, mails: number): Promise<number>;
}

/** A new Postfix on loopback; undefined if it is not installed or this process is not root. */
export async function startPostfix(place: Place): Promise<Postfix | undefined> {
  if (process.getuid?.() !== 0 || !(await isInstalled('smtp-source', ['-h']))) return undefined;
  const folder = place.folder('postfix');
  const etc = join(folder, 'etc');
  const port = await freePort();
  for (const name of ['etc', 'spool', 'data']) mkdirSync(join(folder, name), { recursive: true });
  const { stdout: uid } = await run('id', ['-u', 'postfix']);
  chownSync(join(folder, 'data'), Number(uid), 0);
  writeFileSync(join(etc, 'main.cf'), mainCf(folder));
  writeFileSync(join(etc, 'master.cf'), masterCf(port));
  await run('postfix', ['-c', etc, 'start']);
  place.atEnd(async () => void (await run('postfix', ['-c', etc, 'stop'])));
  return {
    async rate(clients, bytes, mails) {
      const began = performance.now();
      const addresses = ['-f', 'a@bench.local', '-t', 'b@bench.local', `127.0.0.1:${port}`];
      await run('smtp-source', ['-s', `${clients}`, '-l', `${bytes}`, '-m', `${mails}`, ...addresses]);
      return (mails * 1_000) / (performance.now() - began);
    },
  };
}

/** Accepted mails stay in the queue, so that only intake runs. */
function mainCf(folder: string): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = bench.local
mydestination = bench.local
local_recipient_maps =
alias_maps =
local_transport = discard
default_transport = discard
defer_transports = discard
message_size_limit = 200000000
mailbox_size_limit = 0
smtpd_client_connection_count_limit = 0
default_process_limit = 100
in_flow_delay = 0
`;
}

/** The services that accept and queue mail (master(5)); none is chrooted. */
function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
}
