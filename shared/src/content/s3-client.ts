import { S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from '../config/index.js';

// A silent server ends an attempt within 13 s of its last byte, and a call within 40 s: three attempts, and pauses between them.
const CONNECT_MS = 3_000;
const SILENT_MS = 10_000;
const ATTEMPTS = 3;

/** A client of S3 as its settings say. Without a key it asks for the role of the machine or the pod, and only then. */
export function createS3Client(settings: S3Settings): S3Client {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = settings;
  // It would warn in each process of Node 20; docs/installation.md says which Node is supported.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }; // else slow readers would keep writers waiting
  return new S3Client({
    region: settings.AWS_REGION ?? 'us-east-1',
    ...(settings.AWS_ENDPOINT_URL_S3 && { endpoint: settings.AWS_ENDPOINT_URL_S3 }),
    ...(accessKeyId &&
      secretAccessKey && {
        credentials: { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) },
      }),
    forcePathStyle: true,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // Bodies are in memory, so their SHA-256 is part of the signature (SigV4, x-amz-content-sha256), and the server refuses other
    // bytes. The newer checksums of AWS would say the same again, and not all servers know them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false, // it would take a connection for each part
    logger: NO_LOG,
  });
}

const NO_LOG = { debug() {}, info() {}, warn() {}, error() {} };
