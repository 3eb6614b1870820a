// Whether the service of this container answers; the exit status is for HEALTHCHECK.

const { PORT = '8080' } = process.env;
const answer = await fetch(`http://127.0.0.1:${PORT}/healthz`, { signal: AbortSignal.timeout(3_000) }).catch(
  () => undefined,
);
process.exitCode = answer?.ok ? 0 : 1;
