import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../src/host/api/objects.ts';
import checksums from '../../src/install/download/checksums.json' with { type: 'json' };
import { CNI_RELEASES } from '../../src/catalog/cni-releases.ts';
import { assetKey, assetPath } from '../../src/catalog/release-asset.ts';
import { until } from '../host/process.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { hello } from './hello.ts';
import { jobStarter } from './jobs.ts';
import { jobOn, leftovers, sharedHost } from './support.ts';

const namespace = 'cni';
const host = sharedHost();
/** flannel's manifest on the mirror, and its sum. */
const { asset } = CNI_RELEASES.flannel;
const manifest = `${host.mirror}/${assetPath(asset)}`;
const sum = (checksums as Readonly<Record<string, string>>)[assetKey(asset)] ?? '';

describe.skipIf(!host.hasVirtink)(
  'flannel between the machines of a cluster (needs the release assets of Virtink)',
  () => {
    let job: Job;
    let main: StepResult;
    let pods: readonly [Pod & { status: { podIP: string } }, Pod & { status: { podIP: string } }];
    const nested = (...args: string[]): Promise<string> =>
      host.run(['kubectl', '--kubeconfig', main.outputs['kubeconfig-path'] ?? '', ...args]);
    /** The response that a pod gets from a URL. */
    const ask = async (pod: Pod, url: string): Promise<string> =>
      (await nested('exec', pod.metadata.name, '--', '/hello', url)).trim();

    beforeAll(async () => {
      job = jobOn(host, { name: 'overlay', namespace, cni: 'flannel', 'wait-for': 'nodes' });
      main = await job.main();
      expect(main.exitCode, main.log).toBe(0);
    });
    afterAll(() => job.clean());

    it('is logged with its progress', () => {
      expect(main.log).toMatch(/^▸ CNI +flannel v0\.26\.7 \(6 objects\) {3}/m);
      expect(main.log).toMatch(/ s {2}resource set overlay-addons: applied to the nested cluster$/m);
      expect(main.log).toMatch(/ s {2}machine overlay-md-0-\S+: its node is Ready$/m);
      expect(main.log).toMatch(/ s {2}nodes: Ready$/m);
      expect(main.summary).toContain('| control plane: 1, workers: 1; CNI: flannel v0.26.7 (6 objects) |');
    });

    it('makes both nodes Ready before the action ends, and connects them with VXLAN', async () => {
      const { items } = JSON.parse(await nested('get', 'nodes', '-o', 'json')) as { items: Node[] };
      expect(items).toHaveLength(2);
      const ready = expect.objectContaining({ type: 'Ready', status: 'True' }) as unknown;
      for (const { status } of items) expect(status?.conditions).toContainEqual(ready);
      // A node is Ready as soon as its network is configured. flanneld annotates its backend a little later.
      const backend = String.raw`jsonpath={.metadata.annotations.flannel\.alpha\.coreos\.com/backend-type}=vxlan`;
      await nested('wait', 'nodes', '--all', `--for=${backend}`, '--timeout=60s');
    });

    it('carries traffic between pods on two nodes', async () => {
      const file = join(main.outputs['kubeconfig-path'] ?? '', '../hello.yaml');
      writeFileSync(file, hello);
      await nested('apply', '-f', file);
      await nested('rollout', 'status', 'daemonset/hello', '--timeout=100s');
      const { items } = JSON.parse(await nested('get', 'pods', '-l', 'app=hello', '-o', 'json')) as {
        items: (typeof pods)[number][];
      };
      const [one, other] = items;
      if (one === undefined || other === undefined) throw new Error('there are not two pods');
      pods = [one, other];
      expect(one.spec?.nodeName).not.toBe(other.spec?.nodeName);
      expect(await ask(one, `http://${other.status.podIP}:8080/`)).toBe(other.metadata.name);
      expect(await ask(other, `http://${one.status.podIP}:8080/`)).toBe(one.metadata.name);
    });

    it('lets the pods reach each other by the name of their Service, through CoreDNS and kube-proxy', async () => {
      const [one, other] = pods;
      // CoreDNS cannot run before there is a network.
      await nested('rollout', 'status', 'deployment/coredns', '-n', 'kube-system', '--timeout=100s');
      // kube-proxy picks one of the two at random each time.
      await until('an answer from the other pod', 180_000, async () => {
        return (await ask(one, 'http://hello.default.svc.cluster.local/')) === other.metadata.name;
      });
      await until('an answer from the other pod', 180_000, async () => {
        return (await ask(other, 'http://hello/')) === one.metadata.name;
      });
    });

    it('is deleted with the cluster', async () => {
      const kinds = 'clusterresourceset,clusterresourcesetbinding,secret';
      const before = await host.kubectl(['get', kinds, '-n', namespace, '-o', 'name']);
      expect(before).toContain('clusterresourceset.addons.cluster.x-k8s.io/overlay-addons');
      expect(before).toContain('secret/overlay-cni');
      const post = await job.post();
      expect(post.exitCode, post.log).toBe(0);
      await expectGone(host, namespace, 'overlay');
    });
  },
);

/** In-memory machines of Cluster API accept the objects of a CNI, though no pod runs. */
describe('the manifest of a CNI', () => {
  const files = mkdtempSync(join(tmpdir(), 'knest-cni-'));
  const start = jobStarter(host, { infrastructure: 'in-memory', namespace });
  afterAll(() => rmSync(files, { recursive: true }));

  /** Waits for an object in the nested cluster of a job. Only an unreachable API server is an error. */
  async function waitFor(main: StepResult, ...object: string[]): Promise<void> {
    const kubectl = ['kubectl', '--kubeconfig', main.outputs['kubeconfig-path'] ?? ''];
    await until(`${object.join(' ')} of the manifest`, 120_000, async () => {
      return (await host.run([...kubectl, 'get', ...object, '--ignore-not-found', '-o', 'name'])) !== '';
    });
  }

  it('is installed from a file, and its Secrets are stored in a Secret', async () => {
    const path = join(files, 'cni.yaml');
    const objects = ['ConfigMap', 'Secret'].map((kind) =>
      JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'mine', namespace: 'kube-system' } }),
    );
    writeFileSync(path, objects.join('\n---\n'));
    const job = start({ name: 'own', cni: path });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain(`▸ CNI                ${path} (2 objects)`);
    await waitFor(main, 'configmap', 'mine', '-n', 'kube-system');
    await waitFor(main, 'secret', 'mine', '-n', 'kube-system');
    expect(await host.kubectl(['get', 'secret', 'own-cni', '-n', namespace, '-o', 'jsonpath={.type}'])).toBe(
      'addons.cluster.x-k8s.io/resource-set',
    );
    await job.post();
    await expectGone(host, namespace, 'own');
  });

  it('is installed from a URL with a checksum, without waiting for anything', async () => {
    const job = start({ name: 'address', cni: `${manifest}#sha256=${sum}`, 'wait-for': 'none' });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    const later = start({ command: 'kubeconfig', name: 'address' });
    await waitFor(await later.main(), 'daemonset', 'kube-flannel-ds', '-n', 'kube-flannel');
    await job.post();
    expect(await leftovers(host, namespace, 'address')).toEqual([]);
  });

  it('with a wrong checksum, or that does not exist, leaves nothing behind', async () => {
    const given = {
      [`${manifest}#sha256=${'0'.repeat(64)}`]: 'KNEST_CHECKSUM',
      [join(files, 'nowhere.yaml')]: 'KNEST_INPUT',
    };
    for (const [cni, code] of Object.entries(given)) {
      const main = await start({ name: 'wrong', cni }).main();
      expect(main.exitCode).toBe(1);
      expect(main.log).toMatch(new RegExp(`^✖ .* ${code}$`, 'm'));
      expect(main.log).not.toContain('▸ Claim');
    }
    expect(await leftovers(host, namespace, 'wrong')).toEqual([]);
  });
});

describe('a host whose Calico drops the packets between machines', () => {
  const resource = 'felixconfigurations.crd.projectcalico.org';
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resource },
    spec: {
      group: 'crd.projectcalico.org',
      names: { kind: 'FelixConfiguration', listKind: 'FelixConfigurationList', plural: 'felixconfigurations' },
      scope: 'Cluster',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
  const configuration = {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'FelixConfiguration',
    metadata: { name: 'default' },
    spec: { vxlanPort: 8472 },
  };

  beforeAll(async () => {
    await host.kubectl(['apply', '-f', '-'], JSON.stringify(definition));
    await host.kubectl(['wait', '--for=condition=Established', `crd/${resource}`, '--timeout=60s']);
    await host.kubectl(['apply', '-f', '-'], JSON.stringify(configuration));
  });
  afterAll(async () => {
    await host.kubectl(['delete', 'crd', resource]);
  });

  it('is detected before anything is created, with the command that fixes it', async () => {
    const inputs = { name: 'dropped', namespace, infrastructure: 'in-memory', cni: 'flannel', 'wait-for': 'none' };
    const refused = jobOn(host, inputs);
    const before = await refused.main();
    refused.clean();
    expect(before.exitCode).toBe(1);
    expect(before.log).toMatch(
      /^✖ the host's Calico drops the VXLAN packets \(UDP port 8472\) .* KNEST_HOST_NETWORK$/m,
    );
    expect(await leftovers(host, namespace, 'dropped')).toEqual([]);
    const command = /Next: allow them: (kubectl patch .*)$/m.exec(before.log)?.[1] ?? '';
    await host.run(['sh', '-c', command]);
    const mended = jobOn(host, inputs);
    const after = await mended.main();
    expect(after.exitCode, after.log).toBe(0);
    await mended.post();
    mended.clean();
  });
});
