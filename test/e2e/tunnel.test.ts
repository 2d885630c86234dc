import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relayConfig } from '../../src/cluster/tunnel/relay-config.ts';
import { identify } from '../../src/runner/background.ts';
import type { SavedTunnel } from '../../src/post-state.ts';
import { relayImage } from '../host/images.ts';
import { until } from '../host/process.ts';
import type { StepResult } from '../support/runner.ts';
import { ClosedCluster } from './closed-cluster.ts';
import { expectGone } from './expect.ts';
import { hello } from './hello.ts';
import { ROLE_NAMESPACE } from './role-account.ts';
import { jobOn, sharedHost } from './support.ts';

const name = 'tunneled';
const namespace = ROLE_NAMESPACE;
const host = sharedHost();
const MEGABYTES = 100;

function tunnelOf({ state }: StepResult): SavedTunnel {
  return JSON.parse(state['tunnel'] ?? '') as SavedTunnel;
}

describe.skipIf(!host.hasVirtink)(
  'a job that reaches nothing of the host but its API server (needs the release assets of Virtink)',
  () => {
    const closed = new ClosedCluster(host, name, { 'relay-image': relayImage });
    const { directory } = closed;
    const kubectl = (...args: string[]): Promise<string> => closed.kubectl(...args);

    it('has a relay that starts whatever the limit of open files is, and takes little memory', async () => {
      const file = join(directory, 'haproxy.cfg');
      writeFileSync(file, relayConfig('10.1.2.3', 6443));
      for (const limit of ['1024', '$(ulimit -H -n)']) {
        // In another network, since the port is taken in that of the host. 124: it ran until it was ended.
        const script = `ip link set lo up; ulimit -n ${limit}; ulimit -v 131072; timeout 2 haproxy -db -f ${file}; echo $?`;
        expect((await closed.network.run(['unshare', '--net', 'sh', '-c', script])).trim()).toBe('124');
      }
    });

    it('gets a tunnel by api-access: auto', () => {
      expect(closed.main.outputs['server']).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      expect(closed.main.log).toMatch(/ tunnel \(this job reaches 127\.0\.0\.1; cluster-ip did not answer\)/);
    });

    it('uses the cluster as any other: get, apply, exec, logs that are followed', async () => {
      expect((await kubectl('get', 'nodes', '-o', 'name')).trim().split('\n')).toHaveLength(2);
      const file = join(directory, 'hello.yaml');
      writeFileSync(file, hello);
      await kubectl('apply', '-f', file);
      await kubectl('rollout', 'status', 'daemonset/hello', '--timeout=100s');
      const pod = (await kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
      const answer = await kubectl('exec', pod, '--', '/hello', 'http://localhost:8080/');
      expect(answer.trim()).toBe(pod);
      const follow = ['logs', '-f', '-n', 'kube-system', '-l', 'component=kube-apiserver', '--tail=5'];
      // `timeout` ends it: a log that is followed has no end.
      const log = await closed.network.run([
        'sh',
        '-c',
        `timeout 10 kubectl --kubeconfig ${closed.kubeconfig} ${follow.join(' ')}; true`,
      ]);
      expect(log.trim().split('\n').length).toBeGreaterThanOrEqual(5);
    });

    it('carries 100 MB in each direction unchanged', async () => {
      const pods = ['get', 'pods', '-n', 'kube-flannel', '-o', 'jsonpath={.items[0].metadata.name}'];
      const pod = (await kubectl(...pods)).trim();
      const file = join(directory, 'large');
      const content = Buffer.alloc(MEGABYTES * 1024 * 1024);
      for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at, at);
      writeFileSync(file, content);
      const exec = `kubectl --kubeconfig ${closed.kubeconfig} exec -n kube-flannel ${pod}`;
      await closed.network.run(['sh', '-c', `${exec} -i -- cp /dev/stdin /tmp/large <${file}`]);
      const got = join(directory, 'got');
      // It lingers: the output of a command that ends may be lost on its way (kubernetes/kubectl#1361).
      await closed.network.run(['sh', '-c', `${exec} -- cp --linger /tmp/large /proc/self/fd/1 >${got}`]);
      const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
      expect(sum(readFileSync(got))).toBe(sum(content));
    });

    it('can have a second tunnel, with the permissions of docs/rbac, whose post step ends that one alone', async () => {
      const inputs = await closed.laterInputs({ 'api-access': 'tunnel' });
      const other = jobOn(host, inputs, { wrap: (argv) => closed.network.command(argv) });
      const result = await other.main();
      expect(result.exitCode, result.log).toBe(0);
      expect(
        await closed.network.run([
          'kubectl',
          '--kubeconfig',
          result.outputs['kubeconfig-path'] ?? '',
          'get',
          'nodes',
          '-o',
          'name',
        ]),
      ).toContain('node/');
      const post = await other.post();
      other.clean();
      expect(post.exitCode, post.log).toBe(0);
      expect(identify(tunnelOf(result).pid)).toBeUndefined();
      expect(await kubectl('get', 'nodes', '-o', 'name')).toContain('node/');
    });

    it('goes on when the pod of the relay is deleted', async () => {
      const selector = 'knest-action/relay=true';
      const pod = async (): Promise<string> =>
        host.kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'jsonpath={.items[*].metadata.name}']);
      const before = await pod();
      await host.kubectl(['delete', 'pods', '-n', namespace, '-l', selector, '--wait=false']);
      expect(await kubectl('get', 'nodes', '-o', 'name')).toContain('node/');
      await until('another pod', 60_000, async () => !(await pod()).includes(before));
      expect(await kubectl('get', 'nodes', '-o', 'name')).toContain('node/');
    });

    it('goes on when the API server of the host was away', async () => {
      await host.withoutControlPlane(() => Promise.resolve());
      expect(await kubectl('get', 'nodes', '-o', 'name')).toContain('node/');
      expect(identify(tunnelOf(closed.main).pid)?.startTime).toBe(tunnelOf(closed.main).startTime);
    });

    it('leaves no secret in the log of the tunnel, and neither process nor relay behind', async () => {
      const { log, pid } = tunnelOf(closed.main);
      const text = readFileSync(log, 'utf8');
      expect(text).toContain('listening');
      expect(text).not.toMatch(/eyJ|PRIVATE KEY|Bearer/);
      const post = await closed.job.post();
      expect(post.exitCode, post.log).toBe(0);
      expect(identify(pid)).toBeUndefined();
      await expectGone(host, namespace, name);
    });
  },
);
