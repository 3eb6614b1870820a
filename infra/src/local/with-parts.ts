import { type CommonConfig, type Env, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import type { z } from 'zod';
import { localSettings } from './settings.js';
import { statePaths } from './state.js';
import { withOwnerUrl } from './with-owner-url.js';

/** Runs `work` with the parts and settings of a service, from the environment; without DATABASE_URL with the database of npm start. */
export async function withParts<Schema extends z.ZodObject, T>(
  name: string,
  schema: Schema,
  work: (parts: Parts, config: z.infer<Schema> & CommonConfig) => Promise<T>,
): Promise<T> {
  const workWith = async (env: Env) => {
    const config = readConfig(schema, env) as z.infer<Schema> & CommonConfig;
    const parts = await openParts(config, name);
    try {
      return await work(parts, config);
    } finally {
      await parts.queues.close();
      await parts.store.close();
    }
  };
  if (process.env.DATABASE_URL) return workWith(process.env);
  return withOwnerUrl((url) => workWith({ ...localSettings(statePaths(), process.env), DATABASE_URL: url }));
}
