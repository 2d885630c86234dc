import { describe, expect, it } from 'vitest';
import { problems, read } from './given-inputs.ts';

// The commands for a cluster that is there already.

describe('delete', () => {
  it('reads the name and where the cluster is', () => {
    expect(read({ command: 'delete', name: 'pr-17', timeout: '90s', 'host-context': 'ci' })).toEqual({
      command: 'delete',
      name: 'pr-17',
      namespace: 'knest',
      timeoutSeconds: 90,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: 'ci' },
    });
  });

  it('does not mind what is meant for create', () => {
    expect(problems({ command: 'delete', name: 'pr-17', 'worker-machine-count': 'many' })).toEqual([]);
  });
});

describe('scale', () => {
  it('reads the name, where the cluster is, and the replicas', () => {
    expect(read({ command: 'scale', name: 'pr-17', replicas: '3:' })).toEqual({
      command: 'scale',
      name: 'pr-17',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      replicas: { controlPlane: 3, workers: undefined },
    });
    expect(read({ command: 'scale', name: 'pr-17', replicas: ' :0 ' })).toMatchObject({
      replicas: { controlPlane: undefined, workers: 0 },
    });
  });

  it.each([
    [{ name: 'pr-17' }, 'replicas: is missing; for example 3:2 (CP:WORKER), 3: or :2'],
    [{ name: 'pr-17', replicas: '2:1' }, 'replicas: 2 control planes: etcd needs an odd number from 1 to 9'],
    [{ name: 'pr-17', replicas: '1:1001' }, 'replicas: 1001 workers: at most 1000'],
    [{ name: 'pr-17', replicas: 'three' }, 'replicas: "three" is no CP:WORKER; for example 3:2, 3: or :2'],
    [{ name: 'pr-17', replicas: ':' }, 'replicas: ":" is no CP:WORKER; for example 3:2, 3: or :2'],
  ])('refuses %o', (given, problem) => {
    expect(problems({ command: 'scale', ...given })).toEqual([problem]);
  });
});

describe('kubeconfig', () => {
  it('reads the name, where the cluster is, and how to reach it', () => {
    expect(read({ command: 'kubeconfig', name: 'pr-17', 'api-access': 'node-port', 'api-host': 'node-1' })).toEqual({
      command: 'kubeconfig',
      name: 'pr-17',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      apiAccess: 'node-port',
      apiHost: 'node-1',
      setKubeconfig: true,
    });
  });
});

it.each(['delete', 'scale', 'kubeconfig'])('%s needs a name', (command) => {
  expect(problems({ command, replicas: '3:2' })).toEqual([`name: is missing; ${command} needs the name of a cluster`]);
});
