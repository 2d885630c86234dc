import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Labels } from '../../src/cluster/identity/identity.ts';
import type { Node, Pod } from '../../src/host/api/objects.ts';
import { down, up, type Host } from '../host/host.ts';
import { kubevirtNodeImage, olderKubevirtNodeImage } from '../host/kubevirt.ts';
import { parts, versions, type Part } from '../host/modules.ts';
import { until } from '../host/process.ts';
import { silent } from '../host/report.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { hello } from './hello.ts';
import { testKubevirtHost } from './kubevirt-host.ts';
import { testKubevirtRefusals } from './kubevirt-refusals.ts';
import { testUpgrade } from './kubevirt-upgrade.ts';
import { testKubevirtUses } from './kubevirt-uses.ts';
import { probeApi } from './probe.ts';
import { ROLE_NAMESPACE, roleKubeconfig } from './role-account.ts';
import { hostName as sharedName, jobOn, leftovers, replicasOf } from './support.ts';

const namespace = 'knest';
// A separate host: no other test needs KubeVirt, which takes time to build and to start.
const hostName = `${sharedName}-kubevirt`;
const needed: readonly Part[] = ['kubevirt', 'network', 'older-kubernetes'];
/** What `kv` is created with, and is upgraded from. */
const older = versions.olderKubernetes;
const minute = 60_000;
let host: Host;

beforeAll(async () => {
  await down(hostName, silent);
  host = await up({ name: hostName, without: parts.filter((part) => !needed.includes(part)) }, silent);
});
afterAll(() => down(hostName, silent));

/** The real controllers of KubeVirt and its provider; a container in the hypervisor's place, and no virt-handler. */
describe('create on KubeVirt, on a bare host', { timeout: 15 * minute }, () => {
  let job: Job;
  let main: StepResult;
  const jobs: Job[] = [];
  const start = (inputs: Readonly<Record<string, string>>): Job => {
    const started = jobOn(host, inputs);
    jobs.push(started);
    return started;
  };
  const nested = (...args: string[]): Promise<string> =>
    host.run(['kubectl', '--kubeconfig', main.outputs['kubeconfig-path'] ?? '', ...args]);

  beforeAll(async () => {
    const nodes = { 'kubernetes-version': older, 'node-image': olderKubevirtNodeImage, 'worker-machine-count': '2' };
    job = start({ name: 'kv', ...nodes, cni: 'flannel', 'wait-for': 'nodes' });
    main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
  });
  afterAll(() => {
    for (const one of jobs) one.clean();
  });

  it('chooses it for its node image, and installs all that it needs', () => {
    expect(main.log).toMatch(/^▸ Infrastructure +kubevirt: node-image is for it; Kubernetes \S+ from \S+ {3}/m);
    expect(main.log).toMatch(/no Cluster API, no KubeVirt provider, no KubeVirt {3}/);
    expect(main.log).toContain(`KubeVirt provider ${versions.kubevirtProvider}, KubeVirt ${versions.kubevirt}`);
    expect(main.log).toMatch(/ s {2}kubevirt\/virt-controller is available$/m);
  });

  it('logs what happens to its machines', () => {
    expect(main.log).toMatch(/ s {2}machine kv-cp-\w+: VM running on host$/m);
    expect(main.log).toMatch(/ s {2}machine kv-md-0-\S+: its node is Ready$/m);
  });

  it('makes nodes of the version, which their provider knows', async () => {
    const { items } = JSON.parse(await nested('get', 'nodes', '-o', 'json')) as {
      items: (Node & { spec: { providerID?: string } })[];
    };
    expect(items.map(({ status }) => status?.nodeInfo?.kubeletVersion)).toEqual([older, older, older]);
    expect(items.map(({ spec }) => spec.providerID)).toEqual(
      items.map(({ metadata }) => `kubevirt://${metadata.name}`),
    );
  });

  it('has the pods of its VMs request what the preflight computes, and a Service without a port on the nodes', async () => {
    const role = 'cluster.x-k8s.io/role=control-plane';
    const requests = 'jsonpath={.items[0].spec.containers[?(@.name=="compute")].resources.requests}';
    const text = await host.kubectl(['get', 'pods', '-n', namespace, '-l', role, '-o', requests]);
    const { cpu = '', memory = '' } = JSON.parse(text) as Record<string, string>;
    expect(cpu).toBe('100m');
    // 1 GiB and what lies beside it: the action must not compute less than KubeVirt.
    expect(Number(memory.replace(/Mi$/, ''))).toBeLessThanOrEqual(1024 + 2 + 228 + 8);
    const service = await host.kubectl(['get', 'service', '-n', namespace, 'kv-lb', '-o', 'jsonpath={.spec.type}']);
    expect(service).toBe('ClusterIP');
  });

  it('carries traffic between pods on two nodes', async () => {
    const file = join(main.outputs['kubeconfig-path'] ?? '', '../hello.yaml');
    writeFileSync(file, hello);
    await nested('apply', '-f', file);
    await nested('rollout', 'status', 'daemonset/hello', '--timeout=180s');
    const { items } = JSON.parse(await nested('get', 'pods', '-l', 'app=hello', '-o', 'json')) as { items: Pod[] };
    const [one, other] = items;
    expect(new Set(items.map(({ spec }) => spec?.nodeName)).size).toBe(3);
    for (const [from, to] of [
      [one, other],
      [other, one],
    ]) {
      const url = `http://${to?.status?.podIP}:8080/`;
      await until('an answer from the other node', 3 * minute, async () => {
        const answer = await nested('exec', from?.metadata.name ?? '', '--', '/hello', url).catch(() => '');
        return answer.trim() === to?.metadata.name;
      });
    }
  });

  it('is listed as ready, by its VMs', async () => {
    const listed = await start({ command: 'list', namespace }).main();
    expect(listed.exitCode, listed.log).toBe(0);
    expect(listed.log).toMatch(/kv.*ready/);
    // By these labels, cleanup finds what somebody left without its Cluster.
    const owned = ['-n', namespace, '-l', `${Labels.managed}=true,${Labels.clusterName}=kv`, '-o', 'name'];
    for (const kind of ['virtualmachines.kubevirt.io', 'virtualmachineinstances']) {
      expect((await host.kubectl(['get', kind, ...owned])).trim().split('\n')).toHaveLength(3);
    }
  });

  testUpgrade(() => ({ host, start, kubeconfig: main.outputs['kubeconfig-path'] ?? '' }));

  it('scales to 3 control planes and back while the nested API answers', async () => {
    const probe = probeApi(host, main.outputs['kubeconfig-path'] ?? '');
    for (const replicas of ['3:2', '1:0']) {
      const scaled = await start({ command: 'scale', name: 'kv', namespace, replicas }).main();
      expect(scaled.exitCode, scaled.log).toBe(0);
      expect(await replicasOf(host, namespace, 'kv')).toBe(replicas);
    }
    await probe.end();
    console.log(`the nested API answered ${probe.answers} times; longest gap ${probe.longestGap.toFixed(1)} s`);
    expect(probe.answers).toBeGreaterThan(30);
    expect(probe.longestGap).toBeLessThan(60);
  });

  it('is deleted with its VMs, their pods, its Service and its Secrets', async () => {
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('nothing of kv is left');
    expect(await leftovers(host, namespace, 'kv')).toEqual([]);
  });

  it('is chosen where the host serves it, and refused without a known image of the version', async () => {
    const refused = await start({ name: 'unknown' }).main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toMatch(/ s {2}kubevirt: the host serves it$/m);
    expect(refused.log).toContain(
      `kubernetes-version: no image of Kubernetes ${versions.kubernetes.slice(1)} is known for kubevirt`,
    );
    expect(refused.log).toMatch(/is known for kubevirt, only 1\.29\.5, .*1\.34\.1.*set a full version and node-image/);
  });

  it('names an image that does not exist', async () => {
    const image = 'quay.io/capk/ubuntu-2404-container-disk:v9.9.9';
    const failed = await start({ name: 'no-image', 'node-image': image }).main();
    expect(failed.exitCode).toBe(1);
    expect(failed.log).toContain(`✖ no-image cannot start: the image ${image} cannot be pulled (not found)`);
    expect(failed.log).toMatch(/Next: set node-image to an image that exists/);
    expect(failed.log).toMatch(/Cleaned up: all gone after \d+\.\d s\./);
    expect(await leftovers(host, namespace, 'no-image')).toEqual([]);
  });

  it('names a VM that fits on no node', async () => {
    await host.kubectl(['cordon', 'host']);
    try {
      const failed = await start({ name: 'no-room', 'node-image': kubevirtNodeImage }).main();
      expect(failed.exitCode).toBe(1);
      expect(failed.log).toMatch(/✖ no-room cannot start: the VM of machine no-room-cp-\w+ does not fit on any node/);
      expect(failed.log).toContain('KNEST_UNSCHEDULABLE');
    } finally {
      await host.kubectl(['uncordon', 'host']);
    }
    await expectGone(host, namespace, 'no-room');
  });

  it('reports a failed bootstrap from the console of the machine, with the Role of docs/rbac alone', async () => {
    const kubeconfig = join(job.temp, 'role.kubeconfig');
    writeFileSync(kubeconfig, await roleKubeconfig(host), { mode: 0o600 });
    const account = { 'host-kubeconfig-file': kubeconfig, namespace: ROLE_NAMESPACE };
    const inputs = { 'kubernetes-version': '1.35.0', 'node-image': kubevirtNodeImage };
    const failed = await start({ ...account, name: 'no-boot', ...inputs }).main();
    expect(failed.exitCode).toBe(1);
    expect(failed.log).toMatch(
      /✖ no-boot cannot start: machine no-boot-cp-\w+ could not become a node: error: featureGates: .* {3}KNEST_BOOTSTRAP/,
    );
    await expectGone(host, namespace, 'no-boot');
  });
});

testKubevirtRefusals(() => host);
testKubevirtUses(() => host);
testKubevirtHost(() => host);
