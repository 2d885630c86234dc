import { expect, it } from 'vitest';
import type { KnestError } from '../../../../src/errors.ts';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import { Labels } from '../../../../src/cluster/identity/identity.ts';
import { checkRoom } from '../../../../src/cluster/upgrade/room.ts';
import type { UpgradePlan } from '../../../../src/cluster/upgrade/plan.ts';
import { hostWith } from '../../host/fake-host.ts';
import { rejection } from '../../rejection.ts';
import { clusterOf, roleLabels } from '../samples.ts';

const planned = { cluster: clusterOf(), engine: kubevirt, isUnderWay: false } as UpgradePlan;
const pod = {
  metadata: { name: 'vm', labels: roleLabels('control-plane') },
  spec: { nodeName: 'a', containers: [{ name: 'c', resources: { requests: { cpu: '1', memory: '2Gi' } } }] },
  status: { phase: 'Running' },
};
const node = (memory: string): object => ({ metadata: { name: 'a' }, status: { allocatable: { cpu: '4', memory } } });
const answers = (memory: string): Readonly<Record<string, unknown>> => ({
  '/api/v1/namespaces/knest/pods': { items: [pod] },
  '/api/v1/nodes': { items: [node(memory)] },
  '/api/v1/pods': { items: [pod] },
});
const check = async (given: Readonly<Record<string, unknown>>, plan = planned): Promise<string | undefined> =>
  checkRoom((await hostWith(given)).client, plan);

it('is enough for a second machine beside the first', async () => {
  expect(await check(answers('4Gi'))).toBeUndefined();
});

it('is not enough, which refuses an upgrade that has not begun', async () => {
  const failure = (await rejection(check(answers('3Gi')))) as KnestError;
  expect(failure.code).toBe('KNEST_UNSCHEDULABLE');
  expect(failure.problem).toBe(
    'pr cannot be upgraded: no node of the host has room for one more control-plane machine',
  );
  expect(await check(answers('3Gi'), { ...planned, isUnderWay: true })).toBeUndefined();
});

it('is assumed where these credentials may not look', async () => {
  expect(await check({ ...answers('3Gi'), '/api/v1/pods': false })).toMatch(/^cannot list the pods of the host/);
});

it('is assumed where not even the pods of the cluster may be listed', async () => {
  const given = { ...answers('3Gi'), '/api/v1/namespaces/knest/pods': false, '/api/v1/pods': false };
  expect(await check(given)).toMatch(/^cannot list the pods of the host/);
});

it('ends where the quota of the namespace does', async () => {
  const quota = { metadata: { name: 'team' }, status: { hard: { pods: '1' }, used: { pods: '1' } } };
  const given = { ...answers('4Gi'), '/api/v1/namespaces/knest/resourcequotas': { items: [quota] } };
  const failure = (await rejection(check(given))) as KnestError;
  expect(failure.evidence).toEqual(['ResourceQuota team: pods 1 of 1 is used']);
});

it('is judged by the pods of machines that run: by neither the relay of the tunnel nor a pod that ended', async () => {
  const small = { ...pod.spec, containers: [{ name: 'c' }] };
  const relay = { ...pod, metadata: { name: 'pr-relay', labels: { [Labels.relay]: 'true' } }, spec: small };
  const ended = { ...pod, metadata: { ...pod.metadata, name: 'old' }, spec: small, status: { phase: 'Succeeded' } };
  const worker = { ...pod, metadata: { name: 'md', labels: roleLabels('worker') } };
  const judged = async (...pods: readonly object[]): Promise<string> => {
    const given = { ...answers('3Gi'), '/api/v1/namespaces/knest/pods': { items: pods } };
    return ((await rejection(check(given))) as KnestError).problem;
  };
  expect(await judged(ended, relay, pod)).toMatch(/one more control-plane machine$/);
  expect(await judged(relay, worker)).toMatch(/one more worker machine$/);
});
