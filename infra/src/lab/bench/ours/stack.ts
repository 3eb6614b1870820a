import { startLocalStack } from '../../../local/stack.js';
import { statePaths } from '../../../local/state.js';
import { reportReady } from '../report-ready.js';

const { url } = await startLocalStack({ paths: statePaths(process.env), env: process.env });
await reportReady(url);
