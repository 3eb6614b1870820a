#!/usr/bin/env node
// Replaces Prisma's native schema engine, which the Prisma CLI would download from its own host; this project needs only the
// npm registry. Prisma runs it when PRISMA_SCHEMA_ENGINE_BINARY names it, and talks JSON-RPC with it, one message per line.
// The work is done by the same engine compiled to WebAssembly, with the pg driver.
//
// Not supported: commands that need a shadow database (`migrate dev`, `migrate diff --from-migrations`).
// Written for Prisma 7.10.0; the version of @prisma/schema-engine-wasm must be the engine version of that release.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

// Column types of the system catalogues (pg_type.oid).
const CHAR = 18; // "char", one byte
const TEXT = 25;

const args = process.argv.slice(2);

if (args.includes('--version')) {
  console.log(`schema-engine-wasm ${(await loadEngine()).version()}`);
} else if (args.includes('cli')) {
  await answerOnce(args.at(-1));
} else {
  await answerMessages(databaseUrl());
}

// Prisma passes --datasource '{"url":"…"}' when the engine may connect.
function databaseUrl() {
  const at = args.indexOf('--datasource');
  return at < 0 ? undefined : JSON.parse(args[at + 1]).url;
}

// The engine

/** The package's entry point imports a .wasm file as a module, which Node 20 does not support, so it is loaded here. */
async function loadEngine() {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const bytes = readFileSync(join(packageFolder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  // The engine reports a panic through this global before it aborts.
  let panic = '';
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    get: () => panic,
    set_message: (message) => {
      panic = message;
    },
  };
  instance.exports.__wbindgen_start();
  return bindings;
}

async function newEngine(adapter) {
  const { SchemaEngine } = await loadEngine();
  return SchemaEngine.new({ datamodels: undefined }, () => {}, bindMigrationAwareSqlAdapterFactory(adapter));
}

// Two adapters

/**
 * For work without a database (comparing schemas). The engine always connects first and queries the server's version; this
 * answers only that query.
 */
function noDatabase() {
  const adapter = { adapterName: 'no-database', provider: 'postgres' };
  const connection = {
    ...adapter,
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    queryRaw: async ({ sql }) => (sql.includes('server_version_num') ? versionAnswer() : refuse()),
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    dispose: async () => {},
  };
  return { ...adapter, connect: async () => connection, connectToShadowDb: refuse };
}

function versionAnswer() {
  return {
    columnNames: ['exists', 'version', 'numeric_version'],
    columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
    rows: [[true, 'PostgreSQL 18.0', 180_000]],
  };
}

async function refuse() {
  throw new Error(
    'This command of Prisma needs a shadow database or a connection, which tools/schema-engine.mjs does not support.',
  );
}

/**
 * Prisma's pg adapter. It does not support the type "char", which the engine reads when it describes a live database, so
 * such columns are text for the adapter and characters for the engine.
 */
function liveDatabase(connectionString) {
  const pool = new pg.Pool({ connectionString });
  let characterColumns = [];
  const query = pool.query.bind(pool);
  pool.query = async (...request) => {
    const result = await query(...request);
    characterColumns = (result.fields ?? []).flatMap((field, index) => (field.dataTypeID === CHAR ? [index] : []));
    for (const index of characterColumns) {
      result.fields[index].dataTypeID = TEXT;
    }
    return result;
  };
  const factory = new PrismaPg(pool);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    // The engine sends one query at a time, so characterColumns are those of this answer.
    adapter.queryRaw = async (request) => {
      const answer = await queryRaw(request);
      for (const index of characterColumns) {
        answer.columnTypes[index] = ColumnTypeEnum.Character;
      }
      return answer;
    };
    return adapter;
  };
  return factory;
}

// JSON-RPC with Prisma

async function answerMessages(url) {
  let engine; // created for the first request: one run of Prisma needs a database or does not
  const engineFor = (request) => {
    engine ??= newEngine(needsDatabase(request) ? liveDatabase(url) : noDatabase());
    return engine;
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.method !== undefined) {
      send(await answerTo(request, engineFor));
    } // else Prisma's answer to a print request
  }
  process.exit(0); // Prisma has closed our stdin; open connections must not keep the process alive
}

async function answerTo(request, engineFor) {
  try {
    const engine = await engineFor(request);
    const result = await call(engine, request);
    if (request.method === 'diff' && result.stdout) {
      send({ id: `print-${request.id}`, method: 'print', params: { content: result.stdout } });
    }
    return { id: request.id, result: result ?? {} };
  } catch (error) {
    const { message } = error;
    return { id: request.id, error: { code: 4466, message, data: { is_panic: false, message } } };
  }
}

function call(engine, { method, params }) {
  const name = method === 'getDatabaseVersion' ? 'version' : method; // renamed in the WebAssembly engine
  if (typeof engine[name] !== 'function') {
    throw new Error(`tools/schema-engine.mjs does not support "${method}": the WebAssembly engine has no such method.`);
  }
  return engine[name](params);
}

function needsDatabase({ method, params }) {
  return method !== 'diff' || [params.from, params.to].some(({ tag }) => tag === 'schemaDatasource' || tag === 'url');
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

/**
 * Prisma also runs the engine with a single question before it migrates. The answer is the exit status, and on failure a log
 * line on stderr; Prisma skips the first line, which the native engine logs at start.
 */
async function answerOnce(question) {
  if (question !== 'can-connect-to-database') {
    failWith(
      'P1003',
      `tools/schema-engine.mjs does not support "${question}". Create the database yourself: CREATE DATABASE …`,
    );
    return;
  }
  const client = new pg.Client({ connectionString: databaseUrl() });
  try {
    await client.connect();
    await client.end();
  } catch (error) {
    const missing = error.code === '3D000'; // invalid_catalog_name
    failWith(missing ? 'P1003' : 'P1001', error.message || error.code);
  }
}

function failWith(code, message) {
  const greeting = { level: 'INFO', target: 'schema_engine', fields: { message: 'tools/schema-engine.mjs' } };
  const fault = { level: 'ERROR', target: 'schema_engine::logger', fields: { error_code: code, message } };
  console.error(JSON.stringify(greeting));
  console.error(JSON.stringify(fault));
  process.exitCode = 1;
}
