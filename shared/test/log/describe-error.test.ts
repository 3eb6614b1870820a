import { expect, it } from 'vitest';
import { Problem } from '../../src/errors/index.js';
import { describeError } from '../../src/log/index.js';

it('has nothing of a message, though a line of it looks like a stack frame', () => {
  const error = new RangeError('invalid input:\n    at somebody-by-name (else)\nand more');
  for (const each of [error, new Problem('internal', 'Something failed.', { cause: error })]) {
    const text = JSON.stringify(describeError(each));
    expect(text).toContain('describe-error.test');
    expect(text).not.toContain('somebody');
  }
});
