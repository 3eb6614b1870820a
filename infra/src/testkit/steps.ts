import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { STEP_CHANNEL, type Step, type StepMessage } from '@indbakke/shared/steps';

/** Resolves when the step has been announced `times` times from now on. Call it before what leads to the step. */
export function stepDone(step: Step, times = 1): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const listen = (message: unknown) => {
      if ((message as StepMessage).step !== step || ++count < times) return;
      unsubscribe(STEP_CHANNEL, listen);
      resolve();
    };
    subscribe(STEP_CHANNEL, listen);
  });
}
