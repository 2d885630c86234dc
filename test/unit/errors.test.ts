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

  it.each<[string, Partial<NodeJS.ErrnoException>, string]>([
    ['a full disk', { code: 'ENOSPC', syscall: 'write' }, 'free space on the disk of this runner, or use a larger one'],
    [
      'a temporary directory that runs no programs',
      { code: 'EACCES', syscall: 'spawn /tmp/knest/clusterctl', path: '/tmp/knest/clusterctl' },
      'mount RUNNER_TEMP without noexec: the action runs the programs that it downloads from there',
    ],
    [
      'a directory without access',
      { code: 'EACCES', syscall: 'open', path: '/tmp/x' },
      'give the user that runs the job access to it',
    ],
    ['any other failure with a path', { code: 'ELOOP', syscall: 'open', path: '/x' }, 'check this runner and its disk'],
    ['any other start of a program', { code: 'E2BIG', syscall: 'spawn' }, 'check this runner and its disk'],
  ])('knows a failure of the runner: %s', (_what, fields, next) => {
    expect(toKnestError(Object.assign(new Error('no'), fields))).toMatchObject({
      code: 'KNEST_RUNNER',
      problem: 'this runner cannot do what the action needs: no',
      next,
    });
  });

  it('takes no failure of the network for one of the runner', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    expect(toKnestError(refused).code).toBe('KNEST_INTERNAL');
    expect(toKnestError(Object.assign(new Error('x'), { code: 'constructor' })).code).toBe('KNEST_INTERNAL');
  });
});
