import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { registryImage, relayImage } from '../host/images.ts';
import { identify } from '../../src/runner/background.ts';
import { until } from '../host/process.ts';
import type { StepResult } from '../support/runner.ts';
import { tunnelOf } from '../support/saved-tunnel.ts';
import { ClosedCluster } from './closed-cluster.ts';
import { startCuttingRelay } from './cutting-relay.ts';
import { expectGone } from './expect.ts';
import { ImageLayout } from './pushed-image.ts';
import { ROLE_NAMESPACE } from './role-account.ts';
import { jobOn, nextStep, sharedHost } from './support.ts';

const name = 'stocked';
const namespace = ROLE_NAMESPACE;
const host = sharedHost();
/** In the image that is pushed. `npm run soak` pushes more. */
const megabytes = Number(process.env['MEGABYTES'] ?? 100);

interface Pods {
  readonly items: readonly {
    readonly spec: { readonly nodeName?: string };
    readonly status: { readonly containerStatuses?: readonly { readonly ready: boolean; readonly imageID: string }[] };
  }[];
}

describe.skipIf(!host.hasVirtink)(
  'registry: true, for a job that reaches the API server of the host alone (needs the release assets of Virtink)',
  () => {
    const closed = new ClosedCluster(host, name, {
      registry: 'true',
      'registry-port': '0',
      'registry-size': '1Gi',
      'registry-image': registryImage,
      'relay-image': relayImage,
    });
    const { directory } = closed;
    let image: ImageLayout;
    /** What scale leaves, which adds a machine. */
    let scaling: Promise<StepResult>;
    const registry = (): string => closed.main.outputs['registry'] ?? '';
    const kubectl = (...args: string[]): Promise<string> => closed.kubectl(...args);
    const here = (argv: readonly string[]): Promise<string> => closed.network.run(argv, { timeout: 600_000 });
    /** The digest of an image, by the way that a runner in the network of the host has. */
    const digestOf = async (tag: string): Promise<string> => {
      const inspect = ['skopeo', 'inspect', '--tls-verify=false', '--format', '{{.Digest}}'];
      return (await host.run([...inspect, `docker://${registry()}/${tag}`])).trim();
    };

    it(`takes an image of ${megabytes} MB from a real client, which then runs on a worker`, async () => {
      expect(registry()).toMatch(/^localhost:\d+$/);
      image = await ImageLayout.make(join(directory, 'layout'), megabytes);
      await image.push(here, `${registry()}/app:v1`);
      const pods = `
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: app
spec:
  selector:
    matchLabels: { app: app }
  template:
    metadata:
      labels: { app: app }
    spec:
      containers: [{ name: app, image: '${registry()}/app:v1' }]
`;
      const file = join(directory, 'app.yaml');
      writeFileSync(file, pods);
      await kubectl('apply', '-f', file);
      await kubectl('rollout', 'status', 'daemonset/app', '--timeout=100s');
      const { items } = JSON.parse(await kubectl('get', 'pods', '-l', 'app=app', '-o', 'json')) as Pods;
      expect(items.map(({ status }) => status.containerStatuses)).toMatchObject([
        [{ ready: true, imageID: expect.stringContaining(image.digest) as string }],
      ]);
      expect(items[0]?.spec.nodeName).toContain('-md-0-');
      // The machine comes while the next tests use the registry.
      scaling = jobOn(host, { command: 'scale', name, namespace, replicas: ':2' }).main();
    });

    it('reports an image that was not pushed as not found', async () => {
      await kubectl('run', 'missing', `--image=${registry()}/app:missing`);
      const path = 'jsonpath={.status.containerStatuses[0].state.waiting.message}';
      const message = await until('a message', 60_000, async () => {
        const text = await kubectl('get', 'pod', 'missing', '-o', path);
        return text === '' ? undefined : text;
      });
      expect(message).toContain('not found');
    });

    it('is found by tools that read local-registry-hosting', async () => {
      const get = ['get', 'configmap', '-n', 'kube-public', 'local-registry-hosting', '-o', 'jsonpath={.data}'];
      expect(await kubectl(...get)).toContain(`host: \\"${registry()}\\"`);
    });

    it('can be read in the network of the host, and not written to', async () => {
      const service = ['get', 'service', '-n', namespace, `${name}-registry`, '-o', 'jsonpath={.spec.clusterIP}'];
      const address = `http://${(await host.kubectl(service)).trim()}:5000`;
      const status = async (...args: string[]): Promise<string> =>
        host.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', ...args]);
      expect(await status(`${address}/v2/app/manifests/v1`)).toBe('200');
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        expect(await status('-X', method, `${address}/v2/app/blobs/uploads/`)).toBe('405');
      const pods = ['get', 'pods', '-n', namespace, '-l', 'knest-action/registry=true'];
      const pod = (await host.kubectl([...pods, '-o', 'jsonpath={.items[0].status.podIP}'])).trim();
      // curl: nobody listens there.
      await expect(status(`http://${pod}:5001/v2/`)).rejects.toThrow();
    });

    it('is reached by a later job, with the permissions of docs/rbac, and only by one job of a runner', async () => {
      const inputs = await closed.laterInputs({ registry: 'true' });
      // On another runner, whose port is free.
      const later = jobOn(host, inputs);
      const result = await later.main();
      expect(result.exitCode, result.log).toBe(0);
      expect(result.outputs['registry']).toBe(registry());
      expect(result.log).not.toContain('the registry restarted');
      expect(await digestOf('app:v1')).toBe(image.digest);
      await later.post();
      later.clean();
      const same = jobOn(host, inputs, { wrap: (argv) => closed.network.command(argv) });
      const refused = await same.main();
      same.clean();
      expect(refused.exitCode).toBe(1);
      expect(refused.log).toMatch(/✖ registry-port: port \d+ of this runner is taken +KNEST_INPUT/);
      expect(refused.log).toMatch(/process \d+ \(node, a tunnel of knest-action .+\) listens on it/);
    });

    it('is shared by the steps of a job', async () => {
      const before = tunnelOf(closed.main);
      const inputs = { command: 'kubeconfig', name, namespace, registry: 'true' };
      const later = nextStep(host, closed.job, closed.main, inputs, { wrap: (argv) => closed.network.command(argv) });
      const result = await later.main();
      expect(result.exitCode, result.log).toBe(0);
      expect(result.outputs).toMatchObject({ registry: registry(), server: closed.main.outputs['server'] });
      expect((await later.post()).exitCode).toBe(0);
      later.clean();
      expect(identify(before.pid)?.startTime).toBe(before.startTime);
      await image.push(here, `${registry()}/app:again`);
    });

    it('takes a push that is tried again after all connections to the host were cut in its middle', async () => {
      const wrap = (argv: readonly string[]) => host.command(argv);
      const inputs = await closed.laterInputs({ registry: 'true', 'api-access': 'tunnel' });
      const relay = await startCuttingRelay(wrap, inputs['host-kubeconfig-file'] ?? '', { bytes: 20_000_000 });
      onTestFinished(() => relay.stop());
      const job = jobOn(host, inputs, { wrap });
      const result = await job.main();
      expect(result.exitCode, result.log).toBe(0);
      const other = await ImageLayout.make(join(directory, 'other'), 40);
      const push = (): Promise<void> => other.push((argv) => host.run(argv), `${registry()}/app:v2`);
      // Some clients try again by themselves.
      await push().catch(push);
      expect(relay.lines).toEqual(['cut']);
      expect(await digestOf('app:v2')).toBe(other.digest);
      const post = await job.post('failure');
      job.clean();
      expect(post.exitCode, post.log).toBe(0);
      expect(post.log).toContain('Last problems of the tunnel');
    });

    it('serves a machine that scale adds', async () => {
      const scaled = await scaling;
      expect(scaled.exitCode, scaled.log).toBe(0);
      const path = 'jsonpath={.status.numberReady}';
      await until(
        'the second pod',
        100_000,
        async () => (await kubectl('get', 'daemonset', 'app', '-o', path)) === '2',
      );
    });

    it('reports a registry that restarted and is empty', async () => {
      await host.kubectl(['delete', 'pods', '-n', namespace, '-l', 'knest-action/registry=true']);
      const inspect = ['skopeo', 'inspect', '--tls-verify=false', `docker://${registry()}/app:v1`];
      await expect(closed.network.run(inspect)).rejects.toThrow(/manifest unknown/);
      const later = jobOn(host, await closed.laterInputs({ registry: 'true' }));
      const warned = await later.main();
      expect(warned.log).toMatch(
        /^::warning::the registry restarted at \S+Z: images that were pushed before are gone/m,
      );
      const post = await closed.job.post('failure');
      expect(post.exitCode, post.log).toBe(0);
      expect(post.log).toContain('the registry restarted as pod');
      expect(post.log).not.toContain('is being deleted');
      // The tunnel of the later job ended with the cluster: its port is free for the next one.
      const { pid, log } = tunnelOf(warned);
      expect(readFileSync(log, 'utf8')).toContain(`✖ ended: ${namespace}/${name} is being deleted`);
      expect(identify(pid)).toBeUndefined();
      await later.post();
      later.clean();
      await expectGone(host, namespace, name);
    });
  },
);
