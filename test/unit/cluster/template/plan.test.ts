import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseTemplate, variables } from '../../../../src/cluster/template/plan.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { readChosen, unlikeMachines } from '../../inputs/given-inputs.ts';
import { cidr } from '../samples.ts';

const networks = { pods: cidr('10.95.0.0/16'), services: cidr('10.97.0.0/16') };

function template(infrastructure: string): string {
  return readFileSync(
    new URL(`../../../../src/cluster/template/templates/${infrastructure}.yaml`, import.meta.url),
    'utf8',
  );
}

/** The fields of Cluster API's MachineHealthCheck that concern nodes. */
interface HealthCheck extends KubernetesObject {
  readonly spec: {
    readonly checks: {
      readonly unhealthyNodeConditions?: readonly { readonly type: string; readonly status: string }[];
      readonly unhealthyMachineConditions?: readonly unknown[];
    };
  };
}

describe('the health checks', () => {
  // A node without a CNI has Ready False. Cluster API recreates a machine whose node has a listed condition for the
  // given time, and a machine that has no node at all.
  it.each(['virtink', 'in-memory'])('of %s recreate no machine whose node is NotReady without a CNI', (name) => {
    const objects = parseManifest(template(name).replaceAll(/\$\{([^}]*)\}/g, '7'));
    const checks = objects.filter((object): object is HealthCheck => object.kind === 'MachineHealthCheck');
    expect(checks).toHaveLength(name === 'virtink' ? 1 : 0);
    for (const { spec } of checks) {
      expect(spec.checks.unhealthyNodeConditions).toEqual([{ type: 'Ready', status: 'Unknown', timeoutSeconds: 300 }]);
      expect(spec.checks.unhealthyMachineConditions).toBeUndefined();
    }
  });
});

describe('variables', () => {
  it('are the inputs and the ranges, each as a string', () => {
    const inputs = readChosen({ 'kubernetes-version': 'v1.36.3', ...unlikeMachines });
    expect(variables(inputs, networks)).toEqual({
      KUBERNETES_VERSION: '1.36.3',
      POD_NETWORK_CIDR: '10.95.0.0/16',
      SERVICE_CIDR: '10.97.0.0/16',
      CONTROL_PLANE_SERVICE_TYPE: 'ClusterIP',
      CONTROL_PLANE_MACHINE_COUNT: '3',
      CONTROL_PLANE_MACHINE_CPU_CORES: '4',
      CONTROL_PLANE_MACHINE_MEMORY_SIZE: '8Gi',
      CONTROL_PLANE_MACHINE_KERNEL_IMAGE: 'kernel:cp',
      CONTROL_PLANE_MACHINE_ROOTFS_IMAGE: 'rootfs:cp',
      CONTROL_PLANE_MACHINE_ROOTFS_SIZE: '20Gi',
      WORKER_MACHINE_COUNT: '0',
      WORKER_MACHINE_CPU_CORES: '1',
      WORKER_MACHINE_MEMORY_SIZE: '2Gi',
      WORKER_MACHINE_KERNEL_IMAGE: 'kernel:worker',
      WORKER_MACHINE_ROOTFS_IMAGE: 'rootfs:worker',
      WORKER_MACHINE_ROOTFS_SIZE: '10Gi',
    });
  });

  it.each([
    ['auto', 'ClusterIP'],
    ['cluster-ip', 'ClusterIP'],
    ['node-port', 'NodePort'],
    ['load-balancer', 'LoadBalancer'],
    ['tunnel', 'ClusterIP'],
  ])('for api-access %s have the Service type %s', (access, type) => {
    expect(variables(readChosen({ 'api-access': access }), networks)).toMatchObject({
      CONTROL_PLANE_SERVICE_TYPE: type,
    });
  });

  it('have a node port where auto has the host at which node ports are reached', () => {
    const inputs = readChosen({ 'api-host': 'host.example.com' });
    expect(variables(inputs, networks)).toMatchObject({ CONTROL_PLANE_SERVICE_TYPE: 'NodePort' });
  });

  const set = Object.keys(variables(readChosen(), networks));
  /** The variables that clusterctl sets itself. */
  const given = ['CLUSTER_NAME', 'NAMESPACE'];
  const usedBy = (text: string): string[] => [
    ...new Set([...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name)),
  ];

  it.each(['virtink', 'in-memory'])('include everything that the template for %s uses', (infrastructure) => {
    const used = usedBy(template(infrastructure));
    expect(used).toContain('KUBERNETES_VERSION');
    expect(used.filter((name) => !set.includes(name) && !given.includes(name))).toEqual([]);
  });

  it('are all used by the template for virtink', () => {
    const used = usedBy(template('virtink'));
    expect(set.filter((name) => !used.includes(name))).toEqual([]);
  });
});

describe('a rendered template', () => {
  it.each([
    ['document 1 is a string, not an object', 'hello'],
    [
      'document 2 (ConfigMap) has no metadata',
      'apiVersion: v1\nkind: A\nmetadata: { name: a }\n---\n---\napiVersion: v1\nkind: ConfigMap',
    ],
    [
      'document 1 (ConfigMap) has a generateName; it must have a fixed name',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: a-',
    ],
  ])('is refused with the number of the document: %s', (message, text) => {
    expect(() => parseTemplate(text)).toThrow(
      expect.objectContaining({ code: 'KNEST_TEMPLATE', problem: `the template cannot be used: ${message}` }),
    );
  });
});
