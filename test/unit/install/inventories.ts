import type { Provider } from '../../../src/host/api/cluster-api-objects.ts';
import type { DaemonSet, Deployment } from '../../../src/host/api/objects.ts';
import type { Component } from '../../../src/catalog/components/component.ts';
import type { Inventory } from '../../../src/install/inventory.ts';

/** A Deployment with its status. */
export function deployment(
  namespace: string,
  name: string,
  isAvailable = true,
  image = 'r/x:v1.0.0',
  labels: Readonly<Record<string, string>> = {},
): Deployment {
  const status = isAvailable ? 'True' : 'False';
  const message = isAvailable ? 'fine' : 'no replicas';
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { template: { spec: { containers: [{ image }] } } },
    status: { conditions: [{ type: 'Available', status, message }] },
  };
}

/** A DaemonSet with its status. */
export function daemonSet(namespace: string, name: string, numberReady: number): DaemonSet {
  const status = { numberReady, desiredNumberScheduled: 3 };
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name, namespace }, status };
}

/** A host on which those components run, with the image tag `tag`; providers are recorded in the version `recorded`. */
export function inventoryWith(present: readonly Component[], tag = 'v1.2.3', recorded = 'v1.13.0'): Inventory {
  const workloads = present.flatMap((component) => component.workloads);
  return {
    providers: present.flatMap((component): Provider[] =>
      component.installer === 'clusterctl'
        ? [
            {
              apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3',
              kind: 'Provider',
              metadata: { name: component.title },
              providerName: component.provider.name,
              type: component.provider.type,
              version: recorded,
            },
          ]
        : [],
    ),
    begun: new Map(),
    definitions: new Map(present.map(({ crd = '' }) => [crd, {}])),
    deployments: workloads
      .filter(({ kind }) => kind === 'Deployment')
      .map(({ namespace, name, labels }) =>
        deployment(namespace, name, true, `registry:5000/x:${tag}@sha256:abc`, labels),
      ),
    daemonSets: workloads
      .filter(({ kind }) => kind === 'DaemonSet')
      .map(({ namespace, name }) => daemonSet(namespace, name, 1)),
  };
}
