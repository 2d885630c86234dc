import { describe, expect, it } from 'vitest';
import { slotName } from '../../../../src/cluster/pool/member.ts';
import { MAX_NAME_LENGTH, type PoolInputs } from '../../../../src/inputs.ts';
import { problems, read, readCreate } from '../given-inputs.ts';

function readPool(given: Readonly<Record<string, string>> = {}): PoolInputs {
  const inputs = read({ command: 'pool', pool: 'small', ...given });
  if (inputs.command !== 'pool') throw new Error('not a pool');
  return inputs;
}

describe('pool', () => {
  it('keeps one cluster ready for up to twelve hours by default', () => {
    const { member, ...inputs } = readPool();
    expect(inputs).toEqual({
      command: 'pool',
      pool: 'small',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      size: 1,
      maxAgeSeconds: 12 * 3600,
      maxConcurrent: 2,
    });
    expect(member).toMatchObject({ command: 'create', pool: 'small', name: undefined, namespace: 'knest' });
  });

  it('reads its inputs, and those of the clusters as create does', () => {
    const machines = { 'worker-machine-count': '3', cni: 'flannel', 'pull-request': '7' };
    const { member, ...inputs } = readPool({ size: '0', 'max-age': '40m', 'max-concurrent': '20', ...machines });
    expect(inputs).toMatchObject({ size: 0, maxAgeSeconds: 2400, maxConcurrent: 20 });
    const { workers, cni, pullRequest } = readCreate(machines);
    expect(member).toMatchObject({ workers, cni, pullRequest });
  });

  it('gives its clusters the lifetime of the pool, whatever that of the jobs is', () => {
    const ofJobs = { ttl: '1h', ephemeral: 'true', 'keep-on-failure': 'true' };
    expect(readPool({ ...ofJobs, 'max-age': '6h' }).member).toMatchObject({
      ephemeral: false,
      keepOnFailure: false,
      ttlSeconds: 6 * 3600,
    });
  });

  it.each([
    ['pool', ' ', 'is missing; for example small'],
    ['size', '-1', '"-1" is not a whole number from 0 to 100'],
    ['size', '101', '"101" is not a whole number from 0 to 100'],
    ['size', ' ', 'is missing; a whole number from 0 to 100'],
    ['max-age', '39m', 'is too short for clusters that may take as long as timeout; at least 40m'],
    ['max-concurrent', '0', '"0" is not a whole number from 1 to 20'],
    ['max-concurrent', '21', '"21" is not a whole number from 1 to 20'],
  ])('refuses %s %j', (input, text, problem) => {
    expect(problems({ command: 'pool', pool: 'small', [input]: text })).toEqual([`${input}: ${problem}`]);
  });
});

describe.each(['create', 'pool'])('%s with the name of a pool', (command) => {
  it.each([
    ['name', 'pr-7', 'is set, but the clusters of a pool have names already; remove it'],
    [
      'persistent',
      'true',
      'is true, but the clusters of a pool are not persistent; set it to false, or create the cluster without pool',
    ],
    [
      'registry',
      'true',
      'is true, but the clusters of a pool have no registry; set it to false, or create the cluster without pool',
    ],
  ])('refuses %s', (input, text, problem) => {
    const addresses = {
      'persistent-machine-addresses': '10.1.2.10-10.1.2.20',
      'persistent-host-cluster-cni': 'calico',
    };
    const given = { command, [input]: text, ...(input === 'persistent' ? addresses : {}) };
    expect(problems(given).filter((line) => !line.startsWith('pool: '))).toEqual([]);
    expect(problems({ ...given, pool: 'small' })).toEqual([`${input}: ${problem}`]);
  });

  it.each(['Small', '1st', 'a_b', 'a'.repeat(31)])('refuses the name %s', (pool) => {
    expect(problems({ command, pool })).toEqual([expect.stringMatching(/^pool: /)]);
  });

  it('accepts names whose clusters have names that create accepts', () => {
    const pool = 'a'.repeat(30);
    expect(problems({ command, pool })).toEqual([]);
    expect(slotName(pool, 9999).length).toBeLessThanOrEqual(MAX_NAME_LENGTH);
  });
});
