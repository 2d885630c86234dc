import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { MEBIBYTE, parseBytes } from '../../../../src/values/quantity.ts';

interface MachineTemplate extends KubernetesObject {
  readonly spec: { readonly template: { readonly spec: object } };
}

const file = resolve(import.meta.dirname, '../../../../src/cluster/template/templates/kubevirt.yaml');
const machines = parseAllDocuments(readFileSync(file, 'utf8'))
  .map((document) => document.toJS() as MachineTemplate)
  .filter(({ kind }) => kind === 'KubevirtMachineTemplate');

it('the machines of KubeVirt are made for hosts of many kinds', () => {
  expect(machines).toHaveLength(2);
  for (const { spec } of machines) {
    expect(spec.template.spec).toMatchObject({
      // No SSH into the VMs.
      virtualMachineBootstrapCheck: { checkStrategy: 'none' },
      virtualMachineTemplate: {
        spec: {
          // A VM that starts again may have another address, and etcd keeps the old one.
          runStrategy: 'Once',
          template: {
            // A guest has its pod's address: no service mesh can share it.
            metadata: { annotations: { 'sidecar.istio.io/inject': 'false', 'linkerd.io/inject': 'disabled' } },
            spec: {
              // No PodDisruptionBudget keeps a node of the host from being drained.
              evictionStrategy: 'None',
              terminationGracePeriodSeconds: 0,
              domain: { devices: { interfaces: [{ name: 'pod', bridge: {} }], logSerialConsole: true } },
              networks: [{ name: 'pod', pod: {} }],
            },
          },
        },
      },
    });
  }
});

it('the machines of KubeVirt state the disk that preflight computes with, and limit neither that nor memory', () => {
  const texts = machines.map((machine) => JSON.stringify(machine));
  const requested = texts.map((text) => /"requests":\{"ephemeral-storage":"([^"]+)"\}/.exec(text)?.[1] ?? '');
  const kubevirtsOwn = 48;
  expect(requested.map((size) => (parseBytes(size) ?? 0) / MEBIBYTE + kubevirtsOwn)).toEqual(
    machines.map(() => kubevirt.virtualMachines?.diskMebibytes),
  );
  expect(texts.filter((text) => text.includes('"limits"'))).toEqual([]);
  expect(texts.filter((text) => !text.includes('"memory":{"guest":'))).toEqual([]);
});
