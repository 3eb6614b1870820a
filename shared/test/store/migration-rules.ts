// What a migration may not do, because the version before runs on beside it: it must find what it reads, be able to write what
// it writes, and not wait long. Read from the text of its statements.

/** Tables that grow with the mail: a scan or a new index under a lock stops intake for as long as it takes. */
export const BIG_TABLES: readonly string[] = [
  'messages',
  'message_details',
  'message_keys',
  'message_contents',
  'message_parties',
  'message_words',
  'message_subjects',
  'documents',
  'files',
  'reply_references',
  'journalizations',
  'cases',
  'sent_messages',
  'events',
  'audit_events',
  'webhook_deliveries',
  'webhook_attempts',
];

export interface Break {
  /** The table, column, index or function: what `-- unused since RELEASE: WHAT` names. */
  readonly what: string;
  readonly why: string;
}

const GONE = 'the version before still uses it';
const NARROWER = 'the version before may write what it refuses';
const LONG = 'on a big table it holds a lock for long';

/** Values of each `CHECK (column IN (…))`, by `table.column`, as the migrations before left them. */
export type AllowedValues = Map<string, ReadonlySet<string>>;

/**
 * What in a migration breaks the version before it, without what its comments say is unused.
 *
 * @param allowed is brought up to date
 * @param releases that there are
 */
export function breaksOf(sql: string, allowed: AllowedValues, releases: readonly string[]): Break[] {
  const statements = statementsOf(sql);
  const made = madeBy(statements);
  const found = statements.flatMap((statement) => breaksOfStatement(statement, made, allowed));
  const unused = unusedIn(sql, releases);
  return found.filter(({ what }) => !unused.has(what));
}

/** `-- unused since 0.2.0: messages.old_column`: what nobody uses any more since a release before this one. */
function unusedIn(sql: string, releases: readonly string[]): Set<string> {
  const named = [...sql.matchAll(/^-- unused since (\S+): (\S+)$/gm)];
  return new Set(named.filter(([, release = '']) => releases.includes(release)).map(([, , what = '']) => what));
}

/** Without comments, quotes around names and bodies of functions, on one line each. */
function statementsOf(sql: string): string[] {
  const bare = sql.replaceAll(/^\s*--.*$/gm, '').replaceAll(/\s--\s.*$/gm, '');
  const bodies: string[] = [];
  const hidden = bare.replaceAll(/\$(\w*)\$.*?\$\1\$/gs, (body) => `$body${bodies.push(body) - 1}$`);
  return hidden
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').replaceAll('"', '').replaceAll('public.', '').trim())
    .filter(Boolean)
    .map((statement) =>
      /^DO /i.test(statement)
        ? statement.replace(/\$body(\d+)\$/, (_, index) => bodies[Number(index)] ?? '')
        : statement,
    );
}

interface Made {
  readonly tables: ReadonlySet<string>;
  /** `table.column` */
  readonly columns: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
}

function madeBy(statements: readonly string[]): Made {
  const names = (pattern: RegExp) => new Set(statements.flatMap((each) => pattern.exec(each)?.[1] ?? []));
  return {
    tables: names(/^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?([\w.]+)/i),
    columns: new Set(
      statements.flatMap((each) => {
        const [, table] = /^ALTER TABLE (?:ONLY )?([\w.]+)/i.exec(each) ?? [];
        return [...each.matchAll(/ADD COLUMN (?:IF NOT EXISTS )?(\w+)/gi)].map(([, column]) => `${table}.${column}`);
      }),
    ),
    others: names(/^CREATE (?:OR REPLACE )?(?:FUNCTION|VIEW|POLICY|TRIGGER) ([\w.]+)/i),
  };
}

function breaksOfStatement(statement: string, made: Made, allowed: AllowedValues): Break[] {
  const alter = /^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?([\w.]+) (.+)$/i.exec(statement);
  if (alter) {
    const [, table = '', actions = ''] = alter;
    if (made.tables.has(table)) return [];
    return actionsOf(actions).flatMap((action) => breaksOfAction(table, action, made, allowed));
  }
  const create = /^CREATE TABLE (?:IF NOT EXISTS )?([\w.]+) \((.+)\)/i.exec(statement);
  if (create) noteAllowed(create[1] ?? '', create[2] ?? '', allowed);
  const index = /^CREATE (UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(\w+) ON (?:ONLY )?([\w.]+)/i.exec(
    statement,
  );
  if (index) {
    const [, unique, concurrently, name = '', table = ''] = index;
    if (made.tables.has(table)) return [];
    return [
      ...(unique ? [{ what: name, why: NARROWER }] : []),
      ...(!concurrently && BIG_TABLES.includes(table) ? [{ what: name, why: LONG }] : []),
    ];
  }
  const drop = /^DROP (TABLE|SCHEMA|VIEW|FUNCTION|POLICY|TYPE|ROLE|COLUMN) (?:IF EXISTS )?([\w.]+)/i.exec(statement);
  if (drop) return made.others.has(drop[2] ?? '') ? [] : [{ what: drop[2] ?? '', why: GONE }];
  const rename = /^ALTER (?:VIEW|FUNCTION|TYPE|INDEX|ROLE|SCHEMA) ([\w.]+).* RENAME /i.exec(statement);
  if (rename && !/^ALTER INDEX/i.test(statement)) return [{ what: rename[1] ?? '', why: GONE }];
  const revoke = /^REVOKE .+ FROM .*\bindbakke_/i.exec(statement);
  if (revoke) return [{ what: /\bON (?:TABLE |FUNCTION )?([\w.]+)/i.exec(statement)?.[1] ?? statement, why: GONE }];
  const rewrite = /^(?:UPDATE|DELETE FROM) (?:ONLY )?([\w.]+)/i.exec(statement);
  if (rewrite && BIG_TABLES.includes(rewrite[1] ?? '')) return [{ what: rewrite[1] ?? '', why: LONG }];
  if (/^(LOCK|CLUSTER|VACUUM FULL|REINDEX (?!.*CONCURRENTLY))/i.test(statement))
    return [{ what: statement, why: LONG }];
  // What it builds is not known here.
  const hidden = /^DO .*\b(DROP|RENAME|SET NOT NULL|SET DATA TYPE|REVOKE|CREATE INDEX|LOCK TABLE)\b/is.exec(statement);
  return hidden ? [{ what: 'DO', why: `a block with ${hidden[1]} is not understood` }] : [];
}

function breaksOfAction(table: string, action: string, made: Made, allowed: AllowedValues): Break[] {
  const one = (column: string | undefined, why: string) => [{ what: column ? `${table}.${column}` : table, why }];
  const added = /^ADD COLUMN (?:IF NOT EXISTS )?(\w+) (.+)$/i.exec(action);
  if (added) {
    const [, column, definition = ''] = added;
    if (/\bNOT NULL\b/i.test(definition) && !/\bDEFAULT\b/i.test(definition)) return one(column, NARROWER);
    const isComputed = /\bDEFAULT [^,]*(random|clock_timestamp|uuid|nextval)|\bGENERATED\b|\bSERIAL\b/i.test(
      definition,
    );
    if (BIG_TABLES.includes(table) && isComputed) return one(column, LONG);
    noteAllowed(table, action, allowed);
    return BIG_TABLES.includes(table) && /\b(CHECK|REFERENCES|UNIQUE)\b/i.test(definition) ? one(column, LONG) : [];
  }
  const column = /^ALTER (?:COLUMN )?(\w+) (.+)$/i.exec(action);
  if (column) {
    const [, name = '', change = ''] = column;
    if (made.columns.has(`${table}.${name}`)) return [];
    if (/^SET NOT NULL/i.test(change)) return one(name, NARROWER);
    if (/^(SET DATA )?TYPE /i.test(change)) return one(name, GONE);
    if (/^DROP DEFAULT/i.test(change)) return one(name, NARROWER);
    return [];
  }
  if (/^DROP (?:COLUMN )(?:IF EXISTS )?(\w+)/i.test(action))
    return one(/^DROP COLUMN (?:IF EXISTS )?(\w+)/i.exec(action)?.[1], GONE);
  if (/^RENAME TO /i.test(action)) return one(undefined, GONE);
  const renamed = /^RENAME (?:COLUMN )?(\w+) TO /i.exec(action);
  if (renamed) return renamed[1]?.toUpperCase() === 'CONSTRAINT' ? [] : one(renamed[1], GONE);
  if (/^ENABLE ROW LEVEL SECURITY|^FORCE ROW/i.test(action)) return one(undefined, GONE);
  if (/^ADD (CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b/i.test(action)) {
    return breaksOfConstraint(table, action, made, allowed);
  }
  noteAllowed(table, action, allowed); // a column that is added without the word COLUMN
  return [];
}

function breaksOfConstraint(table: string, action: string, made: Made, allowed: AllowedValues): Break[] {
  const long = BIG_TABLES.includes(table) && !/\bNOT VALID\b/i.test(action) ? [{ what: table, why: LONG }] : [];
  const check = /\bCHECK \((.+)\)/i.exec(action)?.[1];
  if (check === undefined) return [...long, { what: table, why: NARROWER }];
  const before = new Map(allowed);
  const values = noteAllowed(table, action, allowed);
  const isWider = values.length > 0 && values.every((key) => contains(allowed.get(key), before.get(key)));
  const words = check.replaceAll(/'[^']*'/g, '').match(/\b[a-z_]\w*\b/g) ?? [];
  const isOfNew =
    words.some((word) => made.columns.has(`${table}.${word}`)) && words.every((word) => isKnown(word, table, made));
  return isWider || isOfNew ? long : [...long, { what: table, why: NARROWER }];
}

const SQL_WORDS = new Set(['is', 'not', 'null', 'and', 'or', 'in', 'between', 'true', 'false', 'any', 'array']);

function isKnown(word: string, table: string, made: Made): boolean {
  return made.columns.has(`${table}.${word}`) || SQL_WORDS.has(word.toLowerCase());
}

function contains(now: ReadonlySet<string> | undefined, before: ReadonlySet<string> | undefined): boolean {
  return before !== undefined && [...before].every((value) => now?.has(value));
}

/** @returns the keys of what it noted */
function noteAllowed(table: string, definition: string, allowed: AllowedValues): string[] {
  return [...definition.matchAll(/CHECK \((\w+) IN \(([^)]*)\)\)/gi)].map(([, column, list = '']) => {
    const key = `${table}.${column}`;
    allowed.set(key, new Set(list.split(',').map((value) => value.trim())));
    return key;
  });
}

/** Split at the commas that are in no brackets. */
function actionsOf(actions: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const sign of actions) {
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    if (sign === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim());
}
