// Rival (c) of `api`, the limit of a Node server with express and pg: the same rows, the same JSON, the same audit row, each
// call one prepared statement. It knows no tokens, roles, visibility, row-level security, filters, log or metrics, and it
// sends a file as it is stored, still sealed.

import { createServer } from 'node:http';
import { newId } from '@indbakke/shared/store';
import express from 'express';
import pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';
import { listenAndReport } from '../report-ready.js';

const CONNECTIONS = 16; // as many as ours
const pool = new pg.Pool({ connectionString: process.env.DATABASE_OWNER_URL, max: CONNECTIONS });
const { cvr } = EXAMPLE_MUNICIPALITY;
const ACTOR = 'caseworker-1';

const SUMMARY = `
  m.id, m.external_id, m.version, m.status, m.held_cause, m.kind, m.channel, m.received_at, m.first_offered_at,
  m.letter_at, m.contact_point_id, m.suggested_case_id, m.suggestion_basis, m.suggestion_sender, m.assignee_kind, m.assignee_id, m.document_count,
  m.file_count, m.content_size, m.remarks, d.subject, d.sender_id, d.sender_id_type, d.sender_name, d.concerning_id,
  d.concerning_name, c.status AS case_status, c.caseworker, p.name AS contact_point_name`;
const JOINED = `
  LEFT JOIN message_details d ON d.message_id = m.id
  LEFT JOIN cases c ON c.municipality = m.municipality AND c.case_id = m.suggested_case_id
  LEFT JOIN contact_points p ON p.municipality = m.municipality AND p.contact_point_id = m.contact_point_id`;

const LIST = `
  SELECT ${SUMMARY} FROM (
    SELECT * FROM messages WHERE municipality = $1 AND status = 'pending' ORDER BY letter_at, id LIMIT $2::int
  ) AS m ${JOINED} ORDER BY m.letter_at, m.id`;

/** The audit row, if the CTE `found` has a row. */
const audited = (action: string, details: string) => `
  audit AS (
    INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
    SELECT $3::uuid, $4::timestamptz, $1, 'user', $5, '${action}', $2::uuid, ${details} FROM found
  )`;

const READ = `
  WITH found AS (SELECT * FROM messages WHERE municipality = $1 AND id = $2::uuid), ${audited('read', `'{}'::jsonb`)}
  SELECT ${SUMMARY}, d.contact_info, m.rejection_reason,
    (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.position), '[]') FROM documents t WHERE t.message_id = m.id) AS documents,
    (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.position), '[]') FROM files f WHERE f.message_id = m.id) AS files,
    (SELECT coalesce(jsonb_agg(to_jsonb(j) ORDER BY j.at), '[]') FROM journalizations j WHERE j.message_id = m.id) AS journalizations,
    (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.at, a.id), '[]') FROM audit_events a
     WHERE a.municipality = m.municipality AND a.message_id = m.id
       AND a.action NOT IN ('read', 'read-file', 'read-zip', 'refused')) AS history
  FROM found m ${JOINED}`;

const FILE = `
  WITH found AS (
    SELECT f.* FROM messages m JOIN files f ON f.message_id = m.id
    WHERE m.municipality = $1 AND m.id = $2::uuid AND f.id = $6::uuid
  ), ${audited('read-file', `jsonb_build_object('fileId', $6::uuid)`)}
  SELECT f.file_name, f.encoding_format, f.size, f.sha256, f.container_offset, c.container
  FROM found f JOIN message_contents c USING (message_id)`;

const REFUSED = `
  INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
  VALUES ($3::uuid, $4::timestamptz, $1, 'user', $5, 'refused', $2::uuid,
    '{"code": "not-found", "call": "get /api/v1/incoming-documents/:id"}')`;

const ASSIGN = `
  WITH changed AS (
    UPDATE messages SET assignee_kind = $6, assignee_id = $7, version = version + 1
    WHERE municipality = $1 AND id = $2::uuid AND version = $8::int AND status IN ('pending', 'held')
    RETURNING id, status, version
  ), event AS (
    INSERT INTO events (id, municipality, message_id, type, status, version, at)
    SELECT $3::uuid, $1, id, 'assigned', status, version, $4::timestamptz FROM changed
  ), audit AS (
    INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
    SELECT $3::uuid, $4::timestamptz, $1, 'user', $5, 'assigned', id, jsonb_build_object('assigneeKind', $6, 'assigneeId', $7)
    FROM changed
  )
  SELECT id, status, version FROM changed`;

// biome-ignore lint/suspicious/noExplicitAny: rows of many shapes, as pg types them
type Row = any;

async function run(name: string, text: string, values: unknown[]): Promise<Row[]> {
  return (await pool.query({ name, text, values })).rows;
}

const stamped = (id: string) => [cvr, id, newId(), new Date(), ACTOR];

const summaryOf = (row: Row) => ({
  id: row.id,
  externalId: row.external_id,
  version: row.version,
  status: row.status,
  heldCause: row.held_cause,
  kind: row.kind,
  channel: row.channel,
  receivedAt: row.received_at.toISOString(),
  firstOfferedAt: row.first_offered_at.toISOString(),
  letterAt: row.letter_at.toISOString(),
  subject: row.subject,
  sender: { id: row.sender_id, idType: row.sender_id_type, name: row.sender_name },
  concerning: row.concerning_id ? { id: row.concerning_id, name: row.concerning_name } : null,
  contactPoint: row.contact_point_id ? { id: row.contact_point_id, name: row.contact_point_name } : null,
  suggestion: row.suggested_case_id
    ? {
        caseId: row.suggested_case_id,
        basis: row.suggestion_basis,
        sender: row.suggestion_sender,
        caseStatus: row.case_status,
        caseworker: row.caseworker,
      }
    : null,
  assignee: row.assignee_kind ? { kind: row.assignee_kind, id: row.assignee_id } : null,
  documentCount: row.document_count,
  fileCount: row.file_count,
  contentSize: Number(row.content_size),
  remarks: row.remarks,
});

const fileOf = (file: Row) => ({
  id: file.id,
  fileName: file.file_name,
  encodingFormat: file.encoding_format,
  language: file.language,
  size: file.size,
  sha256: file.sha256?.slice(2) ?? null, // to_jsonb writes \x…
  status: file.status,
});

const iso = (time: string) => new Date(time).toISOString();

const documentOf = (row: Row) => ({
  ...summaryOf(row),
  documents: row.documents.map((document: Row) => ({
    role: document.role,
    documentId: document.document_id,
    label: document.label,
    files: row.files.filter((file: Row) => file.document_position === document.position).map(fileOf),
  })),
  contactInfo: row.contact_info,
  remarks: row.remarks,
  journalizations: row.journalizations.map((on: Row) => ({
    caseId: on.case_id,
    reference: on.reference,
    at: iso(on.at),
    by: on.by,
  })),
  rejection: null,
  history: row.history.map((event: Row) => ({
    at: iso(event.at),
    action: event.action,
    by: event.actor,
    details: event.details,
  })),
});

const app = express();
app.disable('x-powered-by');
app.disable('etag');

app.get('/api/v1/incoming-documents', async (req, res) => {
  const limit = Number(req.query.limit);
  const rows = await run('list', LIST, [cvr, limit + 1]);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit ? `${last.letter_at.toISOString()} ${last.id}` : null;
  res.json({ items: page.map(summaryOf), nextCursor });
});

app.get('/api/v1/incoming-documents/:id', async (req, res) => {
  const { id } = req.params;
  const [row] = await run('read', READ, stamped(id));
  if (row) return void res.set('ETag', `"${row.version}"`).json(documentOf(row));
  await run('refused', REFUSED, stamped(id));
  res.status(404).type('application/problem+json').end(NOT_FOUND);
});

const NOT_FOUND = JSON.stringify({
  type: 'urn:indbakke:error:not-found',
  title: 'There is no such resource, or the caller may not see it.',
  status: 404,
  detail: 'There is no such message, or the caller may not see it.',
  code: 'not-found',
  correlationId: newId(),
});

app.get('/api/v1/incoming-documents/:id/files/:fileId', async (req, res) => {
  const [file] = await run('file', FILE, [...stamped(req.params.id), req.params.fileId]);
  const from = Number(file.container_offset);
  res.attachment(file.file_name);
  res.set('ETag', `"${file.sha256.toString('hex')}"`);
  res.setHeader('Content-Type', file.encoding_format);
  res.end(file.container.subarray(from, from + Number(file.size)));
});

app.put('/api/v1/incoming-documents/:id/assignment', express.json(), async (req, res) => {
  const { kind, id } = req.body.assignee;
  const version = Number(req.get('if-match')?.replaceAll('"', ''));
  const [changed] = await run('assign', ASSIGN, [...stamped(req.params.id as string), kind, id, version]);
  res.set('ETag', `"${changed.version}"`).json(changed);
});

await listenAndReport(createServer(app));
