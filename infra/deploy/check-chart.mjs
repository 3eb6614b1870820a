// Of check-chart.sh, which brings helm and kubernetes-models: node infra/deploy/check-chart.mjs HELM NODE_MODULES

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

const CHART = fileURLToPath(new URL('chart', import.meta.url));
const RULES = fileURLToPath(new URL('prometheus/rules.yaml', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
// Of other projects than Kubernetes: their schemas are not there.
const NOT_OF_KUBERNETES = ['ServiceMonitor', 'PrometheusRule', 'HTTPRoute'];
const PODS = ['Deployment', 'Job'];

const GIVEN = ['--set=existingSecret=indbakke'];
/** Values that are wrong, and what must be said of each. */
const REFUSED = [
  [[], /existingSecret: name a secret/],
  [[...GIVEN, '--set=config.LOG_LEVL=info'], /config.*LOG_LEVL.*not allowed/],
  [[...GIVEN, '--set=archiver.config.SF2900=on'], /archiver\/config.*SF2900.*not allowed/],
  [[...GIVEN, '--set=config.INBOX_PAGE=true'], /config\/INBOX_PAGE.*'on', 'off'/],
  [[...GIVEN, '--set=config.DATABASE_URL=postgres://a'], /config.*DATABASE_URL.*not allowed/],
  [[...GIVEN, '--set=receiver.replica=3'], /receiver.*replica.*not allowed/],
  [[...GIVEN, '--set=secretSettings={DATABASE_URL}'], /secretSettings/],
  [[...GIVEN, '--set=content.folder.enabled=false'], /config\.BLOB_URL: name where content is/],
  [[...GIVEN, '--set=receiver.tls.enabled=true'], /receiver\.tls\.existingSecret: name a secret/],
  [[...GIVEN, '--set=ingress.deliveries.enabled=true'], /ingress\.deliveries: needs receiver\.tls/],
  [[...GIVEN, '--set=ingress.enabled=true'], /the host of callers is missing/],
];

const [helm, modules] = process.argv.slice(2);

const run = (...args) => {
  const { status, stdout, stderr, error } = spawnSync(helm, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error) throw error;
  return { status, stdout, stderr };
};
const template = (...args) => run('template', 'indbakke', CHART, '--namespace=post', ...args);

function rendered(values) {
  const lint = run('lint', '--strict', CHART, `--values=${values}`);
  assert.equal(lint.status, 0, lint.stdout + lint.stderr);
  const { status, stdout, stderr } = template(`--values=${values}`);
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout, { version: '1.1' })
    .map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS();
    })
    .filter(Boolean);
}

async function isOfKubernetes({ apiVersion, kind, ...rest }) {
  if (NOT_OF_KUBERNETES.includes(kind)) return false;
  const file = join(modules, 'kubernetes-models', apiVersion, `${kind}.js`);
  const { [kind]: Model } = await import(pathToFileURL(file).href);
  new Model({ apiVersion, kind, ...rest }).validate(); // throws what is wrong
  return true;
}

/** The schemas take fields that there are not; the types do not. */
function checkFields(documents) {
  const known = documents.filter(({ kind }) => !NOT_OF_KUBERNETES.includes(kind));
  const lines = known.flatMap((document, n) => [
    `import type { I${document.kind} as Type${n} } from 'kubernetes-models/${document.apiVersion}';`,
    `export const document${n}: Type${n} = ${JSON.stringify(document)};`,
  ]);
  writeFileSync(join(modules, '..', 'documents.ts'), lines.join('\n'));
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
  const { status, stdout } = spawnSync(process.execPath, [TSC, ...options, join(modules, '..', 'documents.ts')], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
}

/** What is named is there: volumes, ports, and the pods and services that others name. */
function checkNames(documents) {
  const of = (...kinds) => documents.filter(({ kind }) => kinds.includes(kind));
  const isSubset = (part, whole) => Object.entries(part).every(([key, value]) => whole[key] === value);
  const pods = of(...PODS).map(({ spec }) => spec.template);
  for (const { spec } of pods) {
    for (const { volumeMounts, securityContext } of spec.containers) {
      const volumes = spec.volumes.map(({ name }) => name);
      for (const { name } of volumeMounts) assert.ok(volumes.includes(name), `no volume ${name}`);
      assert.equal(securityContext.readOnlyRootFilesystem, true);
    }
    assert.equal(spec.securityContext.runAsNonRoot, true);
  }
  const portsOf = (selector) =>
    pods.filter(({ metadata }) => isSubset(selector, metadata.labels)).map(({ spec }) => spec.containers[0].ports);
  for (const { metadata, spec } of of('Service')) {
    const found = portsOf(spec.selector);
    assert.equal(found.length, 1, `pods of ${metadata.name}`);
    for (const { targetPort } of spec.ports) {
      assert.ok(
        found[0].some(({ name }) => name === targetPort),
        `${metadata.name}: no port ${targetPort}`,
      );
    }
  }
  for (const { metadata, spec } of of('PodDisruptionBudget', 'NetworkPolicy')) {
    const { matchLabels } = spec.selector ?? spec.podSelector;
    assert.equal(portsOf(matchLabels).length, 1, `pods of ${metadata.name}`);
  }
  const deployments = of('Deployment').map(({ metadata }) => metadata.name);
  for (const { spec } of of('HorizontalPodAutoscaler')) assert.ok(deployments.includes(spec.scaleTargetRef.name));
  const services = new Map(of('Service').map(({ metadata, spec }) => [metadata.name, spec.ports]));
  const asked = [
    ...of('Ingress').flatMap(({ spec }) => spec.rules[0].http.paths.map(({ backend }) => backend.service)),
    ...of('HTTPRoute').flatMap(({ spec }) =>
      spec.rules.map(({ backendRefs: [{ name, port }] }) => ({ name, port: { port } })),
    ),
  ];
  for (const { name, port } of asked) {
    const isThere = services.get(name)?.some((each) => each.name === port.name || each.port === port.port);
    assert.ok(isThere, `no ${name} ${JSON.stringify(port)}`);
  }
  for (const { spec } of of('PrometheusRule')) assert.deepEqual(spec, parse(readFileSync(RULES, 'utf8')));
}

let [valid, others] = [0, 0];
const files = readdirSync(join(CHART, 'ci'));
for (const file of files) {
  const documents = rendered(join(CHART, 'ci', file));
  for (const document of documents) {
    try {
      if (await isOfKubernetes(document)) valid += 1;
      else others += 1;
    } catch (error) {
      throw new Error(`${file}: ${document.kind} ${document.metadata.name}: ${error.message}`, { cause: error });
    }
  }
  checkFields(documents);
  checkNames(documents);
}
for (const [args, said] of REFUSED) {
  const { status, stderr } = template(...args);
  assert.notEqual(status, 0, `not refused: ${args.at(-1)}`);
  assert.match(stderr, said);
}
console.log(
  `chart: ${files.length} files of values; ${valid} documents are valid for Kubernetes, ${others} have no schema here; ${REFUSED.length} wrong values are refused`,
);
