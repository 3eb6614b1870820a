import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/**
 * Tells whoever forked this process that it serves at this address, and ends the process when that one ends. With PROFILE
 * in the environment, what the processor does from now on is written to that file.
 */
export async function reportReady(url: string): Promise<void> {
  const file = process.env.PROFILE;
  const writeProfile = file === undefined ? undefined : await beginProfile(file);
  process.once('disconnect', async () => {
    await writeProfile?.();
    process.exit();
  });
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole terminal; the parent ends us
  process.send?.({ ready: url });
}

/** From here, not from the start on as --cpu-prof has it: loading the code would hide what is of interest. */
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
