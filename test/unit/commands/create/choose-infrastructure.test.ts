import { describe, expect, it } from 'vitest';
import { automaticInfrastructure } from '../../../../src/commands/create/choose-infrastructure.ts';
import { KnestError } from '../../../../src/errors.ts';
import { hostWith } from '../../host/fake-host.ts';
import { readCreate } from '../../inputs/given-inputs.ts';

const virtinkProvider = { 'infrastructure.cluster.x-k8s.io/v1beta1': 'VirtinkCluster' };
const kubevirtProvider = { 'infrastructure.cluster.x-k8s.io/v1alpha1': 'KubevirtCluster' };
const virtink = { 'virt.virtink.smartx.com/v1alpha1': 'VirtualMachine' };
const kubevirt = { 'kubevirt.io/v1': 'VirtualMachineInstance' };

const both = [virtinkProvider, virtink, kubevirtProvider, kubevirt];

/** The paths of a host that serves these kinds, by the version of their API. */
function serving(...parts: readonly Readonly<Record<string, string>>[]): Record<string, unknown> {
  const kinds = Object.entries(Object.assign({}, ...parts) as Record<string, string>);
  return Object.fromEntries(
    kinds.map(([apiVersion, kind]) => [
      `/apis/${apiVersion}`,
      { resources: [{ name: `${kind.toLowerCase()}s`, kind, namespaced: true }] },
    ]),
  );
}

/** What `auto` means on such a host. */
async function chosenOn(paths: Record<string, unknown>, given: Readonly<Record<string, string>> = {}): Promise<string> {
  const { client } = await hostWith(paths);
  const { infrastructure, reason } = await automaticInfrastructure(client, readCreate(given));
  return `${infrastructure}: ${reason}`;
}

describe('infrastructure: auto', () => {
  it.each([
    ['nothing', [], 'virtink: the host serves none, and this is the default'],
    ['Virtink', [virtinkProvider, virtink], 'virtink: the host serves it'],
    ['KubeVirt', [kubevirtProvider, kubevirt], 'kubevirt: the host serves it'],
    ['both', both, 'kubevirt: the host serves it'],
    ['Virtink, and a part of KubeVirt', [virtinkProvider, virtink, kubevirt], 'virtink: the host serves it'],
    ['KubeVirt without its provider', [kubevirt], 'kubevirt: the host serves a part of it, and nothing of another'],
    ['a provider alone', [virtinkProvider], 'virtink: the host serves a part of it, and nothing of another'],
  ])('is, on a host that serves %s, %3$s', async (_what, parts, choice) => {
    expect(await chosenOn(serving(...parts))).toBe(choice);
  });

  it('is virtink on a host that serves nothing', async () => {
    expect(await chosenOn({})).toMatch(/^virtink: /);
  });

  it.each([
    [{ 'node-image': 'n:1', 'kubernetes-version': '1.30.1' }, /^kubevirt: node-image/],
    [{ 'worker-machine-rootfs-size': '20Gi' }, /^virtink: an input for its kernel or root file system/],
    [{ 'control-plane-machine-kernel-image': 'k:1' }, /^virtink: an input/],
  ])('follows what an input is for: %j', async (given, choice) => {
    expect(await chosenOn(serving(virtinkProvider, virtink, kubevirtProvider, kubevirt), given)).toMatch(choice);
  });

  it.each([
    ['1.24.0', both, /^virtink: the host serves it, and it has the version$/],
    ['1.24', both, /^virtink: /],
    ['1.33', both, /^kubevirt: the host serves it$/],
    ['latest', both, /^kubevirt: the host serves it$/],
    ['1.40.2', both, /^kubevirt: the host serves it$/],
    ['1.34', [virtinkProvider, virtink], /^virtink: the host serves it$/],
    ['1.34', [], /^kubevirt: the host serves none, and this one has the version$/],
    ['latest', [], /^kubevirt: the host serves none/],
    ['1.24', [], /^virtink: the host serves none, and this is the default$/],
    ['1.40.2', [], /^virtink: the host serves none, and this is the default$/],
  ])('has an image of Kubernetes %s, if any that the host serves has', async (version, parts, choice) => {
    expect(await chosenOn(serving(...parts), { 'kubernetes-version': version })).toMatch(choice);
  });

  it('is not that of a cluster that is being deleted', async () => {
    const metadata = { name: 'old', deletionTimestamp: '2026-01-01T00:00:00Z' };
    const cluster = { metadata, spec: { infrastructureRef: { kind: 'VirtinkCluster' } } };
    const path = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/old';
    const choice = await chosenOn({ ...serving(...both), [path]: cluster }, { name: 'old' });
    expect(choice).toBe('kubevirt: the host serves it');
  });

  it('is that of the cluster that has the name already', async () => {
    const cluster = { metadata: { name: 'kept' }, spec: { infrastructureRef: { kind: 'DevCluster' } } };
    const paths = { ...serving(kubevirt), '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/kept': cluster };
    expect(await chosenOn(paths, { name: 'kept' })).toBe('in-memory: the cluster exists, and has it');
    expect(await chosenOn(paths, { name: 'other' })).toMatch(/^kubevirt: /);
  });

  it.each([
    ['a part of two', [virtink, kubevirtProvider], {}, /a part of several infrastructures/],
    ['nothing for a template', [], { 'cluster-template': 't.yaml' }, /no infrastructure for the objects/],
  ])('is not guessed on a host that serves %s', async (_what, parts, given, problem) => {
    const thrown: unknown = await chosenOn(serving(...parts), given).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(KnestError);
    expect(thrown).toMatchObject({
      code: 'KNEST_INPUT',
      next: expect.stringContaining('set infrastructure') as string,
    });
    expect((thrown as KnestError).message).toMatch(problem);
  });
});
