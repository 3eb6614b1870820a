// All services in a process of their own, whose output is the log that is searched.

import { readConfig } from '@indbakke/shared/config';
import { serve } from '@indbakke/shared/service';
import { allServices, StackConfig } from '../../local/services.js';

const config = readConfig(StackConfig, process.env);
const running = await serve(config, 'proof', allServices(config));
process.once('SIGTERM', async () => {
  await running.close();
  process.exit(0);
});
process.once('disconnect', () => process.exit(1));
process.send?.({ ready: running.url });
