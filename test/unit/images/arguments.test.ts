import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../images/arguments.ts';

const build = ['--kubernetes', 'v1.34.1', '--engine', 'kubevirt', '--output', '/tmp/images'];

describe('the arguments of npm run image', () => {
  it('name a version, an engine and a directory', () => {
    expect(readArguments(build)).toEqual({
      kind: 'build',
      version: 'v1.34.1',
      engine: 'kubevirt',
      output: '/tmp/images',
      source: undefined,
      diskSize: 20 * 1024 ** 3,
    });
    expect(readArguments([...build, '--disk-size', '8'])).toMatchObject({ diskSize: 8 * 1024 ** 3 });
  });

  it('are refused all at once', () => {
    expect(() => readArguments(['--engine', 'xen', '--disk-size', '1'])).toThrow(
      '--kubernetes is missing\n--engine must be kubevirt or virtink\n--output is missing\n--disk-size must be',
    );
  });

  it.each([
    ['1.34.1', 'must be a full version'],
    ['v1.34', 'must be a full version'],
    ['v1.30.1', 'Kubernetes 1.31 to 1.36'],
    ['v1.37.0', 'Kubernetes 1.31 to 1.36'],
  ])('do not take %s for a version', (version, problem) => {
    expect(() => readArguments([...build, '--kubernetes', version])).toThrow(problem);
    expect(() => readArguments(['--record', '--kubernetes', version])).toThrow(problem);
  });

  it('record one version or all', () => {
    expect(readArguments(['--record'])).toEqual({ kind: 'record', version: undefined });
    expect(readArguments(['--record', '--kubernetes', 'v1.36.0'])).toEqual({ kind: 'record', version: 'v1.36.0' });
  });
});
