import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { githubLog } from '../../../src/report/log.ts';
import { Timeline } from '../../../src/report/timeline.ts';

let output: string[];
const text = (): string => output.join('');
const lines = (): string[] =>
  text()
    .split('\n')
    .filter((line) => line !== '');

beforeEach(() => {
  output = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    output.push(String(chunk));
    return true;
  });
  return () => vi.restoreAllMocks();
});

/** What the runner treats as a command. */
const isCommand = (line: string): boolean => line.startsWith('::') || line.includes('##[');

describe('a step', () => {
  const log = () => githubLog(new Timeline(), (text) => text);

  it('is one line without output', async () => {
    const value = await log().step('Connect', () => Promise.resolve({ value: 7, result: 'https://10.1.2.3:6443' }));
    expect(value).toBe(7);
    expect(lines()).toEqual([expect.stringMatching(/^▸ Connect {12}https:\/\/10\.1\.2\.3:6443 {3}\d+\.\d s$/)]);
  });

  it('is a group with output', async () => {
    await log().step('Wait', (step) => {
      step.line('VM running');
      step.line('node ready');
      return Promise.resolve({ value: undefined, result: 'ready' });
    });
    expect(lines()).toEqual([
      '::group::▸ Wait',
      expect.stringMatching(/^ +\d+\.\d s {2}VM running$/),
      expect.stringMatching(/^ +\d+\.\d s {2}node ready$/),
      expect.stringMatching(/^ +\d+\.\d s {2}ready$/),
      '::endgroup::',
    ]);
  });

  it('says once a minute that it still runs while it logs nothing else', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const done = Promise.withResolvers<{ value: undefined; result: string }>();
    const running = log().step('Download', (step) => {
      setTimeout(() => step.line('half of it'), 90_000);
      return done.promise;
    });
    await vi.advanceTimersByTimeAsync(149_000);
    expect(lines().map((line) => line.trim().replace(/^[\d.]+ s {2}/, ''))).toEqual([
      '::group::▸ Download',
      'still running',
      'half of it',
    ]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines().at(-1)).toMatch(/ {2}still running$/);
    done.resolve({ value: undefined, result: 'there' });
    await running;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('closes its group when it fails, and rethrows the error', async () => {
    const broken = log().step('Wait', (step) => {
      step.line('VM running');
      return Promise.reject(new Error('cut'));
    });
    await expect(broken).rejects.toThrow('cut');
    expect(lines().at(-1)).toBe('::endgroup::');
  });

  it('is a phase of the timeline', async () => {
    const timeline = new Timeline();
    await githubLog(timeline, (text) => text).step('Apply', () => Promise.resolve({ value: 0, result: '' }));
    expect(timeline.phases.map(({ name }) => name)).toEqual(['Apply']);
  });

  it('writes no message from the cluster as a command', async () => {
    await log().step('Wait', (step) => {
      step.line('pod says\n::add-mask::a\n##[error]b');
      return Promise.resolve({ value: 0, result: '::error::c' });
    });
    const commands = lines().filter(isCommand);
    expect(commands).toEqual(['::group::▸ Wait', '::endgroup::']);
  });
});

describe('a section', () => {
  it('is a group, and neither its title nor its lines become commands', () => {
    githubLog(new Timeline(), (text) => text).section('Console of x\n::error::a', [
      'booting',
      '::add-mask::b',
      '##[group]c',
    ]);
    expect(lines()).toEqual([
      '::group::▸ Console of x%0A: :error::a',
      'booting',
      ': :add-mask::b',
      '# #[group]c',
      '::endgroup::',
    ]);
  });
});

it('the annotation of an input error lists every problem', () => {
  const failure = new KnestError({ code: 'KNEST_INPUT', problem: '2 inputs', evidence: ['ttl: "x"', 'name: "%"'] });
  githubLog(new Timeline(), (text) => text).fail(failure);
  expect(lines().at(-1)).toBe('::error::2 inputs (KNEST_INPUT)%0Attl: "x"%0Aname: "%25"');
});

describe('a failure', () => {
  it('is logged in full, and its annotation is only the sentence', () => {
    const failure = new KnestError({
      code: 'KNEST_IMAGE_PULL',
      problem: 'the image cannot be pulled',
      evidence: ['Pod knest/vm: ErrImagePull', '::warning::from a message'],
      next: 'use another image',
    });
    githubLog(new Timeline(), (text) => text).fail(failure);
    expect(lines()).toEqual([
      '✖ the image cannot be pulled   KNEST_IMAGE_PULL',
      '  Pod knest/vm: ErrImagePull',
      '  : :warning::from a message',
      '  Next: use another image',
      '::error::the image cannot be pulled (KNEST_IMAGE_PULL)',
    ]);
  });
});

it('debug lines and warnings are separate commands', () => {
  const log = githubLog(new Timeline(), (text) => text);
  log.debug('GET /version');
  log.warn('not deleted');
  expect(lines()).toEqual(['::debug::GET /version', '::warning::not deleted']);
});

it('masks a secret in every kind of output', async () => {
  const log = githubLog(new Timeline(), (text) => text.replaceAll('hunter2', '***'));
  log.line('hunter2');
  log.section('of hunter2', ['it is hunter2']);
  log.debug('GET /hunter2');
  log.warn('hunter2 is old');
  await log.step('Use hunter2', (step) => {
    step.line('used hunter2');
    return Promise.resolve({ value: 0, result: 'hunter2' });
  });
  log.fail(
    new KnestError({ code: 'KNEST_HOST_CONFIG', problem: 'no hunter2', evidence: ['hunter2'], next: 'hunter2' }),
  );
  expect(lines().join('\n')).not.toContain('hunter2');
  expect(lines().length).toBeGreaterThan(10);
});
