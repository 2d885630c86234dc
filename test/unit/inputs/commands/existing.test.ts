import { describe, expect, it } from 'vitest';
import { readAction } from '../../../../scripts/docs.ts';
import { RELAY_IMAGE } from '../../../../src/catalog/relay-image.ts';
import { problems, read } from '../given-inputs.ts';

// The commands for an existing cluster.

describe('delete', () => {
  it('reads the name and the location of the cluster', () => {
    expect(read({ command: 'delete', name: 'pr-17', timeout: '90s', 'host-context': 'ci' })).toEqual({
      command: 'delete',
      name: 'pr-17',
      namespace: 'knest',
      timeoutSeconds: 90,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: 'ci' },
    });
  });

  it.each(['delete', 'scale', 'kubeconfig'])(
    '%s accepts a name that create refuses, since others may have created the cluster',
    (command) => {
      expect(problems({ command, name: '1234', replicas: '3:2' })).toEqual([]);
    },
  );

  it('ignores inputs for create', () => {
    expect(problems({ command: 'delete', name: 'pr-17', 'worker-machine-count': 'many' })).toEqual([]);
  });
});

describe('scale', () => {
  it('reads the name, the location of the cluster, the replicas, and how to reach it', () => {
    expect(read({ command: 'scale', name: 'pr-17', replicas: '3:' })).toEqual({
      command: 'scale',
      name: 'pr-17',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      replicas: { controlPlane: 3, workers: undefined },
      apiAccess: 'auto',
      apiHost: undefined,
      relayImage: RELAY_IMAGE,
    });
    expect(read({ command: 'scale', name: 'pr-17', replicas: ' :0 ' })).toMatchObject({
      replicas: { controlPlane: undefined, workers: 0 },
    });
  });

  it.each([
    [{ name: 'pr-17' }, 'replicas: is missing; for example 3:2 (CP:WORKER), 3: or :2'],
    [
      { name: 'pr-17', replicas: '2:1' },
      'replicas: etcd needs an odd number of control-plane machines, from 1 to 9, not 2',
    ],
    [{ name: 'pr-17', replicas: '1:1001' }, 'replicas: at most 1000 workers, not 1001'],
    [{ name: 'pr-17', replicas: 'three' }, 'replicas: "three" is not CP:WORKER; for example 3:2, 3: or :2'],
    [{ name: 'pr-17', replicas: ':' }, 'replicas: ":" is not CP:WORKER; for example 3:2, 3: or :2'],
  ])('refuses %o', (given, problem) => {
    expect(problems({ command: 'scale', ...given })).toEqual([problem]);
  });
});

describe('the numbers of machines', () => {
  // With different limits, create could make 7 control-plane machines that scale then refuses, or the other way round.
  it.each([
    ['control-plane-machine-count', (count: number) => `${count}:`, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99]],
    ['worker-machine-count', (count: number) => `:${count}`, [0, 1, 2, 999, 1000, 1001, 9999]],
  ])('have the same limits for create (%s) and for scale', (input, replicasOf, counts) => {
    for (const count of counts) {
      const forCreate = problems({ [input]: String(count) });
      const forScale = problems({ command: 'scale', name: 'pr-17', replicas: replicasOf(count) });
      expect(forCreate.length, `${input}: ${count}`).toBe(forScale.length);
    }
  });

  it.each(['control-plane-machine-count', 'replicas'])('match the description of %s', (input) => {
    expect(readAction().inputs[input]?.description).toContain('an odd number from 1 to 9');
  });
});

describe('kubeconfig', () => {
  it('reads the name, the location of the cluster, and how to reach it', () => {
    expect(read({ command: 'kubeconfig', name: 'pr-17', 'api-access': 'node-port', 'api-host': 'node-1' })).toEqual({
      command: 'kubeconfig',
      name: 'pr-17',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      apiAccess: 'node-port',
      apiHost: 'node-1',
      relayImage: RELAY_IMAGE,
      setKubeconfig: true,
      registry: false,
    });
  });
});

it.each(['delete', 'scale', 'kubeconfig'])('%s needs a name', (command) => {
  expect(problems({ command, replicas: '3:2' })).toEqual([`name: is missing; ${command} needs the name of a cluster`]);
});
