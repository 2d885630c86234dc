import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { machineRequests } from '../../../../src/cluster/engines/virtink.ts';
import { withRequests } from '../../../../src/cluster/machines/machine-requests.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';

describe('machineRequests', () => {
  it.each([
    [2, '4Gi', { milliCpu: 200, mebibytes: 4352 }],
    [1, '1Gi', { milliCpu: 100, mebibytes: 1280 }],
    [3, '4G', { milliCpu: 300, mebibytes: 4071 }],
    [16, '64Gi', { milliCpu: 1600, mebibytes: 65_792 }],
  ])('are a tenth of %d cores, and %s plus the memory of the hypervisor', (cores, memory, requests) => {
    expect(machineRequests(cores, memory)).toEqual(requests);
  });
});

describe('withRequests', () => {
  const file = new URL('../../../../src/cluster/template/templates/virtink.yaml', import.meta.url);
  const values: Readonly<Record<string, string>> = {
    CONTROL_PLANE_MACHINE_CPU_CORES: '4',
    CONTROL_PLANE_MACHINE_MEMORY_SIZE: '8Gi',
    WORKER_MACHINE_CPU_CORES: '2',
    WORKER_MACHINE_MEMORY_SIZE: '2Gi',
  };
  const text = readFileSync(file, 'utf8').replaceAll(/\$\{([^}]*)\}/g, (_all, name: string) => values[name] ?? '1');
  const objects = parseManifest(text);
  const machineOf = (object: KubernetesObject | undefined) =>
    (object as { spec?: { template: { spec: { virtualMachineTemplate: { spec: object } } } } } | undefined)?.spec
      ?.template.spec.virtualMachineTemplate.spec;

  it('adds requests by size to every VM of the template, and no limits, which would stop it', () => {
    const machines = objects.filter(({ kind }) => kind === 'VirtinkMachineTemplate');
    expect(machines.map(withRequests).map(machineOf)).toMatchObject([
      { resources: { requests: { cpu: '400m', memory: '8448Mi' } }, runPolicy: 'Once' },
      { resources: { requests: { cpu: '200m', memory: '2304Mi' } }, runPolicy: 'Once' },
    ]);
    for (const machine of machines) expect(machineOf(withRequests(machine))).not.toHaveProperty('resources.limits');
  });

  it('keeps existing requests and everything else', () => {
    const others = objects.filter(({ kind }) => kind !== 'VirtinkMachineTemplate');
    expect(others.map(withRequests)).toEqual(others);
    const once = objects.map(withRequests);
    expect(once.map(withRequests)).toEqual(once);
  });
});
