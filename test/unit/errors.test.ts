import { describe, expect, it } from 'vitest';
import { KnestError, messageOf, toKnestError } from '../../src/errors.ts';

const failure = {
  code: 'KNEST_DELETE',
  problem: 'it is still there',
  evidence: ['a finalizer'],
  next: 'remove it',
} as const;

describe('KnestError', () => {
  it('has problem, code, evidence and next step in its message, in that order', () => {
    expect(new KnestError(failure).message).toBe('it is still there (KNEST_DELETE)\na finalizer\nNext: remove it');
  });

  it('is one line without evidence and next step', () => {
    expect(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'too slow' }).message).toBe('too slow (KNEST_TIMEOUT)');
  });

  it('takes more evidence and keeps all else', () => {
    const cause = new Error('why');
    const more = new KnestError({ ...failure, cause }).with('deleted again');
    expect(more).toMatchObject({ ...failure, evidence: ['a finalizer', 'deleted again'], cause });
    expect(more.message).toContain('deleted again\nNext: remove it');
  });
});

describe('toKnestError', () => {
  it('leaves a KnestError as it is', () => {
    const known = new KnestError(failure);
    expect(toKnestError(known)).toBe(known);
  });

  it('calls anything else a defect, in one sentence, with where it came from', () => {
    const thrown = new TypeError('x is undefined\nmore');
    const defect = toKnestError(thrown);
    expect(defect).toMatchObject({
      code: 'KNEST_INTERNAL',
      problem: 'an unexpected error: x is undefined',
      cause: thrown,
    });
    expect(defect.evidence.join('\n')).toContain('errors.test.ts');
  });

  it.each([
    ['text', 'text'],
    [42, '42'],
    [undefined, 'undefined'],
  ])('takes the thrown value %s too', (thrown, message) => {
    expect(toKnestError(thrown).problem).toBe(`an unexpected error: ${message}`);
    expect(messageOf(thrown)).toBe(message);
  });
});
