import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isInstalled } from '../../testkit/installed.js';
import type { Copies } from './memos.js';
import type { Place } from './place.js';

const run = promisify(execFile);

/** A client in C, which leaves nearly all processor time to the servers. */
export interface Wrk {
  /**
   * Posts messages from `clients` clients, which the servers share evenly.
   * @returns answers a second
   * @throws Error when an answer is not 200
   */
  rate(urls: readonly string[], clients: number, seconds: number): Promise<number>;
}

/** @returns undefined if wrk is not installed */
export async function openWrk(place: Place, messages: Copies): Promise<Wrk | undefined> {
  if (!(await isInstalled('wrk', ['--version']))) return undefined;
  const script = join(place.folder('wrk'), 'post.lua');
  writeFileSync(script, luaScript(messages), 'latin1');
  return {
    async rate(urls, clients, seconds) {
      const outputs = await Promise.all(
        urls.map((url) => {
          const share = ['-t1', `-c${clients / urls.length}`, `-d${seconds}s`, '-s', script];
          return run('wrk', [...share, url, randomBytes(4).toString('hex')]).then(({ stdout }) => stdout);
        }),
      );
      const failed = outputs.find((output) => /Non-2xx|Socket errors/.test(output));
      if (failed) throw new Error(`wrk: not every answer was 200:\n${failed}`);
      return outputs.reduce((sum, output) => sum + Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]), 0);
    },
  };
}

/** Each copy gets a UUID of version 4: a random prefix per run and a counter. */
function luaScript({ parts }: Copies): string {
  const quoted = parts.map((part) => `[==[\n${part}]==]`);
  return `local prefix, n = '', 0
function init(args) prefix = args[1] end
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/xml'
wrk.headers['Accept'] = 'application/json'
function request()
  n = n + 1
  local uuid = string.format('%s-0000-4000-8000-%012x', prefix, n)
  return wrk.format(nil, nil, nil, ${quoted.join(' .. uuid .. ')})
end
`;
}
