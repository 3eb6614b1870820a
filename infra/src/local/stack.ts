import { type Env, LOCAL_ISSUER, readConfig } from '@indbakke/shared/config';
import { listen } from '@indbakke/shared/http';
import { type Running, serve } from '@indbakke/shared/service';
import express from 'express';
import { checkDatabase, migrateDatabase, prepareDatabase } from './database.js';
import { type SentReceipt, type StandIn, startStandIn } from './distribution/stand-in.js';
import { EXAMPLE_MUNICIPALITY, registerExample } from './example-municipality.js';
import { startPostgres } from './postgres/postgres.js';
import { allServices, type LocalLinks, StackConfig } from './services.js';
import { LOCAL_DATABASE, localSettings, makeKeys } from './settings.js';
import { removeLocalStack, type StatePaths, writeLocalStack } from './state.js';

export interface LocalStackOptions {
  readonly paths: StatePaths;
  readonly env: Env;
  /** Called with a line before slow work. */
  readonly onProgress?: (line: string) => void;
  readonly links?: LocalLinks;
  /** Called when the stand-in for Fordelingskomponenten has a business receipt. */
  readonly onReceipt?: (receipt: SentReceipt) => void;
}

export interface RunningStack extends Running {
  /** The example municipality; undefined when the environment names a database. */
  readonly municipality: { readonly cvr: string; readonly name: string } | undefined;
}

/**
 * All of Indbakke in this process on one port, with keys, a token issuer, a PostgreSQL and a stand-in for Fordelingskomponenten of
 * its own, or with the parts that the environment names (DATABASE_URL, QUEUE_URL, BLOB_URL …).
 */
export async function startLocalStack({
  paths,
  env,
  onProgress = () => {},
  links = {},
  onReceipt = () => {},
}: LocalStackOptions): Promise<RunningStack> {
  const settings = localSettings(paths, env);
  // Reports wrong settings before anything is created. The embedded database has no URL yet.
  const place = readConfig(StackConfig, { ...settings, DATABASE_URL: env.DATABASE_URL || 'postgres://embedded' });
  await checkPort(place);
  await makeKeys(paths);
  const database = await openDatabase(paths, env, onProgress);
  let standIn: StandIn | undefined;
  try {
    standIn = await startStandIn(paths, env, onReceipt);
    const config = readConfig(StackConfig, { ...standIn.settings, ...settings, DATABASE_URL: database.url });
    const running = await serve(
      config,
      'indbakke',
      allServices(config, config.TOKEN_ISSUER === LOCAL_ISSUER ? links : {}),
    );
    const { inFolder, close: closeStandIn } = standIn;
    writeLocalStack(paths, running.url, inFolder);
    return {
      url: running.url,
      operationsUrl: running.operationsUrl,
      municipality: database.municipality,
      ...(database.lost && { lost: database.lost() }),
      async close() {
        removeLocalStack(paths);
        await running.close();
        await closeStandIn();
        await database.close();
      },
    };
  } catch (error) {
    await standIn?.close();
    await database.close();
    throw error;
  }
}

async function checkPort(place: Parameters<typeof listen>[1]): Promise<void> {
  const probe = await listen(express(), place, () => {});
  await probe.close(0);
}

interface OpenDatabase extends Pick<RunningStack, 'municipality'> {
  readonly url: string;
  close(): Promise<void>;
  lost?(): Promise<Error>;
}

/** The database that the environment names, or the embedded one with the example municipality. */
async function openDatabase(paths: StatePaths, env: Env, onProgress: (line: string) => void): Promise<OpenDatabase> {
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = env;
  if (url) {
    if (ownerUrl) {
      await checkDatabase('DATABASE_OWNER_URL', ownerUrl);
      await migrateDatabase(ownerUrl);
    }
    await checkDatabase('DATABASE_URL', url, 'indbakke_app');
    return { url, municipality: undefined, close: async () => {} };
  }
  const postgres = await startPostgres({ stateDir: paths.root, onProgress });
  try {
    const database = await prepareDatabase(postgres.url, LOCAL_DATABASE);
    await registerExample(database.ownerUrl);
    const { lost, stop } = postgres;
    return { url: database.url, municipality: EXAMPLE_MUNICIPALITY, close: stop, lost };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
