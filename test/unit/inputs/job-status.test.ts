import { describe, expect, it } from 'vitest';
import { readOutcome } from '../../../src/inputs.ts';

describe('job-status', () => {
  it.each(['success', 'failure', 'cancelled'])('is the result of the job: %s', (status) => {
    expect(readOutcome((name) => (name === 'job-status' ? status : ''))).toBe(status);
  });

  it.each(['', 'skipped', '${{ job.status }}'])('is unknown when it is %j', (status) => {
    expect(readOutcome(() => status)).toBeUndefined();
  });
});
