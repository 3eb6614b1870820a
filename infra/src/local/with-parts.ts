import { type CommonConfig, type Env, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import type { z } from 'zod';
import { ofNpmStart } from './of-npm-start.js';
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
  const { DATABASE_URL: url, DATABASE_URL_FILE: urlFile } = process.env;
  const npmStart = url || urlFile ? undefined : await ofNpmStart();
  if (!npmStart) return workWith(process.env);
  return withOwnerUrl((ownerUrl) => workWith({ ...npmStart.settings(process.env), DATABASE_URL: ownerUrl }));
}
