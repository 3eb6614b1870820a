import type { Metrics } from '@indbakke/shared/metrics';
import { Router } from 'express';
import type { IntakeParts } from '../intake/take-in.js';

export function soapMouth(_parts: IntakeParts, _metrics: Metrics): Router {
  return Router();
}
