import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify } from '../../src/cluster/identity/identity.ts';
import { render } from '../../src/cluster/template/plan.ts';
import { Clusterctl } from '../../src/install/clusterctl.ts';
import { Downloader } from '../../src/install/download.ts';
import { readJob } from '../../src/github/job.ts';
import { versions } from '../host/modules.ts';
import { run } from '../host/process.ts';
import { cidr } from '../unit/cluster/samples.ts';
import { readChosen } from '../unit/inputs/given-inputs.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { kubernetesVersion, sharedHost } from './support.ts';
import { downloadRuntime, fromGithub } from '../support/downloads.ts';

const namespace = 'upstream';
const host = sharedHost();
/** The templates of a release of the Virtink provider, unchanged. */
const address = (name: string): string =>
  `https://github.com/smartxworks/cluster-api-provider-virtink/releases/download/${versions.virtinkProvider}/${name}.yaml`;
/** The cluster in which the VMs run, when it is not the one of Cluster API. Here it is, by a kubeconfig in a Secret. */
const external = [
  'VIRTINK_INFRA_CLUSTER_SECRET_NAME=infra',
  `VIRTINK_INFRA_CLUSTER_SECRET_NAMESPACE=${namespace}`,
].join('\n');

describe.skipIf(!host.hasVirtink)('the templates of the Virtink provider (need the release assets of Virtink)', () => {
  const start = jobStarter(host, { namespace, 'worker-machine-count': '0' });
  beforeAll(async () => {
    await host.kubectl(['create', 'namespace', namespace]).catch(() => undefined);
    await host.kubectl(['delete', 'secret', '-n', namespace, 'infra', '--ignore-not-found']);
    const kubeconfig = `--from-file=kubeconfig=${host.kubeconfig}`;
    await host.kubectl(['create', 'secret', 'generic', '-n', namespace, 'infra', kubeconfig]);
  });

  it('create a cluster: cluster-template-internal', async () => {
    const name = 'inside';
    const sizes = { 'worker-machine-count': '1', 'worker-machine-memory-size': '3Gi', 'wait-for': 'nodes' };
    const job = start({ name, 'cluster-template': address('cluster-template-internal'), ...sizes });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).not.toContain('inputs ignored by this template');
    expect(main.log).toContain(
      `MachineHealthCheck ${name}-md-0-unhealthy-5m replaces machines that are not Ready; without a CNI, none of them becomes Ready`,
    );
    const path = main.outputs['kubeconfig-path'] ?? '';
    const nodes = await host.run(['kubectl', '--kubeconfig', path, 'get', 'nodes', '-o', 'name']);
    expect(nodes.trim().split('\n')).toHaveLength(2);
    const owned = 'knest-action/managed=true,cluster.x-k8s.io/cluster-name=inside';
    const kinds = 'cluster,machines,virtinkmachines,virtualmachines,services,machinehealthchecks';
    const found = await host.kubectl(['get', kinds, '-n', namespace, '-l', owned, '-o', 'name']);
    expect(found.match(/^[a-z]+/gm)?.sort()).toEqual([
      'cluster',
      'machine',
      'machine',
      'machinehealthcheck',
      'machinehealthcheck',
      'service',
      'virtinkmachine',
      'virtinkmachine',
      'virtualmachine',
      'virtualmachine',
    ]);
    const memory = 'jsonpath={.items[*].spec.instance.memory.size}';
    const sizesGiven = await host.kubectl(['get', 'virtualmachines', '-n', namespace, '-l', owned, '-o', memory]);
    expect(sizesGiven.split(' ').sort()).toEqual(['1Gi', '3Gi']);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, name);
  });

  it('create a cluster whose VMs run elsewhere: cluster-template', async () => {
    const name = 'outside';
    const inputs = { name, 'cluster-template': address('cluster-template') };
    const refused = await start(inputs).main();
    expect(refused.log).toMatch(
      /needs variables that are not set: VIRTINK_INFRA_CLUSTER_SECRET_NAME, VIRTINK_INFRA_CLUSTER_SECRET_NAMESPACE {3}KNEST_TEMPLATE$/m,
    );
    const job = start({ ...inputs, 'template-variables': external });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain('where the action does not watch them');
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, name);
  });

  describe('are accepted by the host as rendered', () => {
    const directory = mkdtempSync(join(tmpdir(), 'knest-upstream-'));
    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    /** Uses the clusterctl of the host, which is the one that the mirror serves. */
    class Local extends Downloader {
      override program(): Promise<string> {
        return Promise.resolve(join(host.binaries, 'clusterctl'));
      }
    }
    const clusterctl = (): Clusterctl => {
      const runtime = {
        env: host.environment,
        directory,
        providerVariables: {},
        warn: () => undefined,
        run: async (program: string, args: readonly string[], given: Readonly<Record<string, string>>) => {
          const command = host.command([program, ...args]);
          const stdout = await run(command.command, command.args, { env: given });
          return { exitCode: 0, stdout, stderr: '' };
        },
      };
      return new Clusterctl(runtime, new Local(fromGithub, downloadRuntime(directory)), versions.clusterAPI, []);
    };

    it.each(['cluster-template', 'cluster-template-internal', 'cluster-template-cdi', 'cluster-template-cdi-internal'])(
      '%s',
      async (template) => {
        const file = join(directory, `${template}.yaml`);
        await host.run(['curl', '-sSf', '-o', file, address(template).replace('https://github.com', host.mirror)]);
        const inputs = readChosen({
          name: 'dry',
          namespace,
          'kubernetes-version': kubernetesVersion,
          'worker-machine-rootfs-image': 'registry.example.com/rootfs',
          'cluster-template': file,
          'template-variables': external,
        });
        const text = readFileSync(file, 'utf8');
        const rendered = await render(
          { clusterctl: clusterctl(), template: { text, origin: template }, env: {} },
          inputs,
          identify(inputs, readJob({ GITHUB_REPOSITORY: 'octo-org/octo-repo' }), Date.now()),
          { pods: cidr('10.95.0.0/16'), services: cidr('10.97.0.0/16') },
        );
        expect(rendered.machines).toEqual({ controlPlane: 1, workers: 1 });
        const objects = [rendered.cluster, ...rendered.others];
        expect(objects).toHaveLength(template.includes('cdi') ? 7 : 9);
        const isCdi = template.includes('cdi');
        const images = JSON.stringify(objects);
        expect(images).toContain(isCdi ? 'docker://registry.example.com/rootfs' : '"registry.example.com/rootfs"');
        expect(images).toContain(`capch-rootfs-${isCdi ? 'cdi-' : ''}${kubernetesVersion}"`);
        const list = join(directory, `${template}.json`);
        writeFileSync(list, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
        const answer = await host.kubectl(['apply', '--server-side', '--dry-run=server', '-f', list, '-o', 'name']);
        expect(answer.trim().split('\n')).toHaveLength(objects.length);
      },
    );
  });
});
