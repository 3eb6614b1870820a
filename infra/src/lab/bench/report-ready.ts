import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { Session } from 'node:inspector/promises';
import type { AddressInfo } from 'node:net';

/**
 * Reports the URL of this server to its parent, and exits when the parent does. With PROFILE in the environment, a profile
 * from now on is written to that file.
 */
export async function reportReady(url: string): Promise<void> {
  const file = process.env.PROFILE;
  const writeProfile = file === undefined ? undefined : await beginProfile(file);
  process.once('disconnect', async () => {
    await writeProfile?.();
    process.exit();
  });
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole process group; the parent stops us
  process.send?.({ ready: url });
}

/** Listens on a free port of the loopback and reports its URL. */
export async function listenAndReport(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** Not with --cpu-prof, whose profile would include loading the code. */
async function beginProfile(file: string): Promise<() => Promise<void>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
  };
}
