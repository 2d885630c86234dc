import { describe, expect, it } from 'vitest';
import { KnestError, messageOf, toKnestError } from '../../src/errors.ts';

const failure = {
  code: 'KNEST_DELETE',
  problem: 'it is still there',
  evidence: ['a finalizer'],
  next: 'remove it',
} as const;

describe('KnestError', () => {
  it('lists problem, code, evidence and next step in its message, in this order', () => {
    expect(new KnestError(failure).message).toBe('it is still there (KNEST_DELETE)\na finalizer\nNext: remove it');
  });

  it('is one line without evidence and next step', () => {
    expect(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'too slow' }).message).toBe('too slow (KNEST_TIMEOUT)');
  });

  it('adds evidence and keeps everything else', () => {
    const cause = new Error('why');
    const more = new KnestError({ ...failure, cause }).with('deleted again');
    expect(more).toMatchObject({ ...failure, evidence: ['a finalizer', 'deleted again'], cause });
    expect(more.message).toContain('deleted again\nNext: remove it');
  });
});

describe('toKnestError', () => {
  it('returns a KnestError unchanged', () => {
    const known = new KnestError(failure);
    expect(toKnestError(known)).toBe(known);
  });

  it('reports anything else as an unexpected error, in one sentence, with its origin', () => {
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
  ])('accepts the thrown value %s too', (thrown, message) => {
    expect(toKnestError(thrown).problem).toBe(`an unexpected error: ${message}`);
    expect(messageOf(thrown)).toBe(message);
  });

  it.each<[string, Partial<NodeJS.ErrnoException>, string]>([
    ['a full disk', { code: 'ENOSPC', syscall: 'write' }, 'free space on the disk of this runner, or use a larger one'],
    [
      'a temporary directory that is mounted with noexec',
      { code: 'EACCES', syscall: 'spawn /tmp/knest/clusterctl', path: '/tmp/knest/clusterctl' },
      'mount RUNNER_TEMP without noexec: the action runs the programs that it downloads from there',
    ],
    [
      'a directory without access',
      { code: 'EACCES', syscall: 'open', path: '/tmp/x' },
      'give the user that runs the job access to it',
    ],
    ['any other failure with a path', { code: 'ELOOP', syscall: 'open', path: '/x' }, 'check this runner and its disk'],
    ['any other failure to start a program', { code: 'E2BIG', syscall: 'spawn' }, 'check this runner and its disk'],
  ])('recognises a failure of the runner: %s', (_what, fields, next) => {
    expect(toKnestError(Object.assign(new Error('no'), fields))).toMatchObject({
      code: 'KNEST_RUNNER',
      problem: 'this runner cannot do what the action needs: no',
      next,
    });
  });

  it('does not mistake a network failure for one of the runner', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    expect(toKnestError(refused).code).toBe('KNEST_INTERNAL');
    expect(toKnestError(Object.assign(new Error('x'), { code: 'constructor' })).code).toBe('KNEST_INTERNAL');
  });
});
