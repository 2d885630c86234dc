import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registryImage, relayImage } from '../host/images.ts';
import { until } from '../host/process.ts';
import { ClosedCluster } from './closed-cluster.ts';
import { expectGone } from './expect.ts';
import { pushImage } from './pushed-image.ts';
import { ROLE_NAMESPACE } from './role-account.ts';
import { jobOn, sharedHost } from './support.ts';

const name = 'stocked';
const namespace = ROLE_NAMESPACE;
const host = sharedHost();
const MEGABYTES = 100;

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
    let digest = '';
    const registry = (): string => closed.main.outputs['registry'] ?? '';
    const kubectl = (...args: string[]): Promise<string> => closed.kubectl(...args);

    it('takes an image of the job from a real client, which then runs on a worker', async () => {
      expect(registry()).toMatch(/^localhost:\d+$/);
      const content = randomBytes(MEGABYTES * 1024 * 1024);
      digest = await pushImage((argv) => closed.network.run(argv), directory, `${registry()}/app:v1`, content);
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
        [{ ready: true, imageID: expect.stringContaining(digest) as string }],
      ]);
      expect(items[0]?.spec.nodeName).toContain('-md-0-');
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
      const inspect = ['skopeo', 'inspect', '--tls-verify=false', '--format', '{{.Digest}}'];
      expect((await host.run([...inspect, `docker://${registry()}/app:v1`])).trim()).toBe(digest);
      await later.post();
      later.clean();
      const same = jobOn(host, inputs, { wrap: (argv) => closed.network.command(argv) });
      const refused = await same.main();
      same.clean();
      expect(refused.exitCode).toBe(1);
      expect(refused.log).toMatch(/✖ registry-port: port \d+ of this runner is taken +KNEST_INPUT/);
      expect(refused.log).toMatch(/process \d+ \(node, a tunnel of knest-action .+\) listens on it/);
    });

    it('serves a machine that scale adds', async () => {
      const scaled = await jobOn(host, { command: 'scale', name, namespace, replicas: ':2' }).main();
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
      const post = await closed.job.post('failure');
      expect(post.exitCode, post.log).toBe(0);
      expect(post.log).toContain('the registry restarted as pod');
      await expectGone(host, namespace, name);
    });
  },
);
