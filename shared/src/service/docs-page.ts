import { ROLES } from '../access/index.js';
import {
  type ApiDescription,
  type DescribedAnswer,
  type DescribedCall,
  type DescribedParameter,
  type JsonSchema,
  OPERATIONS,
  type Operation,
  type Reference,
} from '../api/index.js';
import { ERRORS, type ErrorCode } from '../errors/index.js';

/** The description of the API as one HTML page, without scripts: every call, and every field that is sent or answered. */
export function docsPage(api: ApiDescription): string {
  const { components } = api;
  const calls = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'head')
      .map(([method, call]) => ({ name: `${method.toUpperCase()} ${path}`, call })),
  );
  const overview = api.tags.map(
    ({ name: tag, description }) =>
      `<h3>${text(description)}</h3>${table(
        ['Call', 'What it does', 'Role'],
        calls
          .filter(({ call }) => call.tags.includes(tag))
          .map(({ name, call }) => [link(call.operationId, name), text(call.summary), rolesOf(call)]),
      )}`,
  );
  const headers = Object.entries(components.headers).map(([name, { description = '', schema }]) => [
    anchored(`header-${name}`, name === 'Version' ? 'ETag of a message' : name),
    typeOf(schema),
    text(description),
  ]);
  const roles = Object.entries(ROLES).map(([role, meaning]) => [code(role), text(meaning)]);
  const errors = Object.entries(ERRORS).map(([error, { http, meaning, again }]) => [
    anchored(`error-${error}`, error),
    String(http),
    text(meaning),
    again === 'read-first' ? 'read first' : again ? 'yes' : 'no',
  ]);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Indbakke: the inbox API</title><style>${STYLE}</style>
<h1>Indbakke: the inbox API</h1>
<p>For the DUBU core. Every call carries <code>Authorization: Bearer …</code>; a token is for one municipality. The same for
programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1), <a href="openapi-3.0.json">openapi-3.0.json</a> for those that
do not read 3.1.</p>
<ul>${rulesOf(api)}</ul>
<p>On this page: ${['calls', 'schemas', 'headers', 'roles', 'errors'].map((id) => `<a href="#${id}">${id}</a>`).join(', ')}.</p>
<h2 id="calls">Calls</h2>${overview.join('')}
${calls.map(({ name, call }) => sectionOf(name, call, api)).join('\n')}
<h2 id="schemas">Schemas</h2><p>Times are ISO 8601 in UTC, sizes are bytes.</p>
${Object.entries(components.schemas)
  .map(([name, schema]) => schemaSection(name, schema, components.schemas))
  .join('\n')}
<h2 id="headers">Headers of answers</h2>${table(['Header', 'Type', 'Meaning'], headers)}
<h2 id="roles">Roles</h2>${table(['Role', 'What it allows'], roles)}
<h2 id="errors">Errors</h2><p>RFC 9457 <code>application/problem+json</code>: ${link('Problem')}. Retry: the same request can
succeed later; read first: it may be done.</p>${table(['Code', 'Status', 'Meaning', 'Retry'], errors)}
</html>`;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}
code,pre,p{overflow-wrap:anywhere}code,pre{font-size:.9em}pre{background:#f4f4f4;padding:.6rem;white-space:pre-wrap}
h3{margin-top:2.5rem;border-top:2px solid #999;padding-top:.5rem;overflow-wrap:anywhere}h4{margin:1rem 0 .3rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-top:1px solid #ddd}
td:first-child>code{overflow-wrap:normal}
@media(max-width:45rem){td,tr,tbody,table{display:block}tr:has(th){display:none}td{border:0;padding:0}tr{border-top:1px solid #ddd;padding:.4rem 0}}`;

/** The list in the description of the API. */
function rulesOf({ info }: ApiDescription): string {
  const [, ...rules] = info.description.split('\n- ');
  return rules.map((rule) => `<li>${text(rule)}</li>`).join('');
}

function sectionOf(name: string, call: DescribedCall, { components }: ApiDescription): string {
  const { operationId, summary, description, parameters, requestBody, responses } = call;
  const at = <T>(found: T | Reference, named: Record<string, T>) =>
    (found as Reference).$ref ? (named[nameIn(found as Reference)] as T) : (found as T);
  const fields = parameters.map((each) => at<DescribedParameter>(each, components.parameters));
  const rows = fields.map(({ name: field, in: place, required, schema, description: meaning }) => [
    code(field),
    place,
    typeOf(schema) + (required ? '' : ', optional'),
    text(meaning ?? meaningOf(schema, components.schemas)),
  ]);
  const found = Object.entries(responses).map(
    ([status, answer]) => [status, at<DescribedAnswer>(answer, components.responses)] as const,
  );
  const answers = found
    .filter(([, answer]) => errorsOf(answer).length === 0)
    .map(([status, { description: meaning, content, headers }]) => [
      status,
      text(meaning),
      contentOf(content),
      Object.entries(headers)
        .map(([header, ref]) => link(`header-${nameIn(ref)}`, header))
        .join(', '),
    ]);
  const errors = found.flatMap(([, answer]) => errorsOf(answer).map((error) => link(`error-${error}`, error)));
  return `<h3 id="${operationId}"><code>${asHtml(name)}</code></h3><p>${text(summary)} ${text(description)}</p>
${rows.length > 0 ? `<h4>Parameters</h4>${table(['Name', 'In', 'Type', 'Meaning'], rows)}` : ''}
${requestBody ? `<h4>Body</h4><p>${contentOf(requestBody.content)}${requestBody.required ? '' : ', optional'}</p>${examplesOf(requestBody.content)}` : ''}
<h4>Answers</h4>${table(['Status', 'Meaning', 'Content', 'Headers'], answers)}
${found.map(([, { content }]) => examplesOf(content)).join('')}<p>Errors: ${errors.join(', ')}</p>`;
}

function rolesOf({ operationId }: DescribedCall): string {
  const { roles }: Operation = OPERATIONS[operationId as keyof typeof OPERATIONS];
  return roles.map(code).join(' or ');
}

function errorsOf({ content }: DescribedAnswer): ErrorCode[] {
  const [, { properties } = {}] = content?.['application/problem+json']?.schema.allOf ?? [];
  return (properties?.code?.enum ?? []) as ErrorCode[];
}

function contentOf(content: DescribedAnswer['content'] = {}): string {
  return Object.entries(content)
    .map(([type, { schema }]) => (schema.$ref ? link(nameIn(schema as Reference)) : code(type)))
    .join(', ');
}

function examplesOf(content: DescribedAnswer['content'] = {}): string {
  const examples = Object.values(content).flatMap((each) => Object.values(each.examples ?? {}));
  const shown = examples.map(({ value }) => `<pre>${asHtml(JSON.stringify(value, null, 2))}</pre>`);
  return shown.length === 0 ? '' : `<details><summary>Example</summary>${shown.join('')}</details>`;
}

function schemaSection(name: string, schema: JsonSchema, named: Record<string, JsonSchema>): string {
  const rows = Object.entries(schema.properties ?? {}).map(([field, property]) => [
    code(field),
    typeOf(property) + (schema.required?.includes(field) ? '' : ', optional'),
    text(meaningOf(property, named)),
  ]);
  const fields = rows.length > 0 ? table(['Field', 'Type', 'Meaning'], rows) : `<p>${typeOf(schema)}</p>`;
  return `<h3 id="${name}">${name}</h3>${schema.description ? `<p>${text(schema.description)}</p>` : ''}${fields}`;
}

/** Of a field; of one that is a schema with a name, the meaning of that. */
function meaningOf(schema: JsonSchema, named: Record<string, JsonSchema>): string {
  const [ref] = [schema, ...(schema.allOf ?? []), ...(schema.anyOf ?? [])].flatMap(({ $ref }) => $ref ?? []);
  return schema.description ?? (ref === undefined ? undefined : named[nameIn({ $ref: ref })]?.description) ?? '';
}

/** What a value may be, in a few words. */
function typeOf(schema: JsonSchema): string {
  const { $ref, items, enum: values, const: only, type = 'any', format, default: usual } = schema;
  const several = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  const one = $ref
    ? link(nameIn({ $ref }))
    : only !== undefined
      ? code(String(only))
      : values
        ? values.map((value) => code(String(value))).join(', ')
        : several
          ? several.map(typeOf).join(' or ')
          : items
            ? `list of ${typeOf(items)}`
            : format && !format.startsWith('int')
              ? format
              : [type].flat().join(' or ');
  return one + limitsOf(schema) + (usual === undefined ? '' : `, else ${code([usual].flat().join())}`);
}

function limitsOf({ minimum, maximum, minLength, maxLength, minItems, maxItems }: JsonSchema): string {
  const limits = [
    [minimum, maximum, ''],
    [minLength, maxLength, ' characters'],
    [minItems, maxItems, ' items'],
  ] as const;
  return limits
    .filter(([, most]) => most !== undefined)
    .map(([least = 0, most, unit]) => `, ${least} to ${most}${unit}`)
    .join('');
}

const nameIn = ({ $ref }: Reference) => $ref.split('/').at(-1) as string;
const asHtml = (plain: string) => plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
/** What is between backticks is code. */
const text = (plain: string) => asHtml(plain).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
const code = (plain: string) => `<code>${asHtml(plain)}</code>`;
const link = (id: string, shown = id) => `<a href="#${id}">${asHtml(shown)}</a>`;
const anchored = (id: string, shown: string) => `<code id="${id}">${asHtml(shown)}</code>`;

function table(heads: string[], rows: string[][]): string {
  const row = (cells: string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${row(heads, 'th')}${rows.map((cells) => row(cells, 'td')).join('\n')}</table>`;
}
