import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { relayConfig } from '../../src/cluster/tunnel/relay-config.ts';
import { identify } from '../../src/runner/background.ts';
import { relayImage } from '../host/images.ts';
import { until } from '../host/process.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { tunnelOf } from '../support/saved-tunnel.ts';
import { ClosedCluster } from './closed-cluster.ts';
import { startCuttingRelay } from './cutting-relay.ts';
import { expectGone } from './expect.ts';
import { hello, tools } from './hello.ts';
import { Program, supportProgram } from './program.ts';
import { ROLE_NAMESPACE } from './role-account.ts';
import { jobOn, sharedHost } from './support.ts';

const name = 'tunneled';
const namespace = ROLE_NAMESPACE;
const host = sharedHost();
const MEGABYTES = 100;
/** Those of the nested cluster. */
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
/** Seconds for which a proxy lets a connection be silent: more than a tunnel leaves between two pings. */
const SILENCE = 25;
/** Seconds for which a connection is idle. `npm run soak` has it idle for an hour. */
const idle = Math.max(SILENCE + 10, Number(process.env['IDLE_MINUTES'] ?? 0) * 60);

describe.skipIf(!host.hasVirtink)(
  'a job that reaches nothing of the host but its API server (needs the release assets of Virtink)',
  () => {
    const closed = new ClosedCluster(host, name, { 'relay-image': relayImage });
    const { directory } = closed;
    const kubectl = (...args: string[]): Promise<string> => closed.kubectl(...args);
    const inNetwork = (argv: readonly string[]) => closed.network.command(argv);
    /** What runs beside the tests. */
    const programs: Program[] = [];
    afterAll(async () => {
      for (const program of programs) await program.stop();
    });
    /** Another job of the same runner, with a watch through its tunnel, and one without. */
    let other: {
      readonly job: Job;
      readonly main: StepResult;
      readonly direct: Program;
      readonly watch: Program;
      readonly began: number;
    };
    /** Watches one object, in vain until it is made. */
    const startWatch = async (kubeconfig: string, path: string, object: string): Promise<Program> => {
      const query = `watch=true&fieldSelector=metadata.name%3D${object}&timeoutSeconds=${idle + 600}`;
      const watch = await Program.start(inNetwork, supportProgram('watch.ts', kubeconfig, `${path}?${query}`));
      programs.push(watch);
      return watch;
    };

    it('has a relay that starts whatever the limit of open files is, and takes little memory', async () => {
      const file = join(directory, 'haproxy.cfg');
      writeFileSync(file, relayConfig('10.1.2.3', 6443));
      // Each in another network, since the port is taken in that of the host. 124: it ran until it was ended.
      const ends = ['1024', '$(ulimit -H -n)'].map((limit) => {
        const script = `ip link set lo up; ulimit -n ${limit}; ulimit -v 131072; timeout 2 haproxy -db -f ${file}; echo $?`;
        return closed.network.run(['unshare', '--net', 'sh', '-c', script]);
      });
      expect((await Promise.all(ends)).map((end) => end.trim())).toEqual(['124', '124']);
    });

    it('gets a tunnel by api-access: auto', () => {
      expect(closed.main.outputs['server']).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      expect(closed.main.log).toMatch(/ tunnel \(this job reaches 127\.0\.0\.1; cluster-ip did not answer\)/);
    });

    // Early: what watches that API server tries again after up to a minute, and a deletion waits for it.
    it('goes on when the API server of the host is killed, with connections that begin while it is away', async () => {
      expect(await kubectl('get', 'nodes', '-o', 'name')).toContain('node/');
      await host.killApiServer(async () => {
        // kubectl gives up after 10 s.
        const nodes = () => kubectl('get', 'nodes', '-o', 'name').catch(() => undefined);
        expect(await until('an answer', 120_000, nodes)).toContain('node/');
      });
      expect(identify(tunnelOf(closed.main).pid)?.startTime).toBe(tunnelOf(closed.main).startTime);
    });

    it('shares the runner with a job that has the permissions of docs/rbac, by a proxy that cuts silent connections', async () => {
      const inputs = await closed.laterInputs({ 'api-access': 'tunnel' });
      const file = inputs['host-kubeconfig-file'] ?? '';
      programs.push(await startCuttingRelay(inNetwork, file, { silence: SILENCE }));
      const job = jobOn(host, inputs, { wrap: inNetwork });
      const main = await job.main();
      expect(main.exitCode, main.log).toBe(0);
      expect(main.outputs['server']).not.toBe(closed.main.outputs['server']);
      const direct = await startWatch(file, `/api/v1/namespaces/${namespace}/pods`, 'after-all');
      const watch = await startWatch(main.outputs['kubeconfig-path'] ?? '', CONFIG_MAPS, 'after-all');
      // The next tests use the cluster meanwhile.
      other = { job, main, direct, watch, began: performance.now() };
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
      const argv = ['kubectl', '--kubeconfig', closed.kubeconfig, ...follow];
      const log = await Program.start(inNetwork, argv, host.environment);
      onTestFinished(() => log.stop());
      // A log that is followed has no end.
      await until('the other lines', 20_000, () => log.lines.length >= 4);
      expect(log.isRunning).toBe(true);
    });

    it('copies files to a pod and from it, and forwards a port of it', async () => {
      const file = join(directory, 'tools.yaml');
      writeFileSync(file, tools);
      await kubectl('apply', '-f', file);
      await kubectl('wait', '--for=condition=Ready', 'pod/tools', '--timeout=100s');
      const [sent, got] = [join(directory, 'sent'), join(directory, 'received')];
      const content = randomBytes(5 * 1024 * 1024);
      writeFileSync(sent, content);
      await kubectl('cp', sent, 'tools:/copy');
      // The end of what a command prints may be lost on its way (kubernetes/kubectl#1361): it is fetched again.
      await kubectl('cp', '--retries=5', 'tools:/copy', got);
      expect(readFileSync(got).equals(content)).toBe(true);
      const forward = `kubectl --kubeconfig ${closed.kubeconfig} port-forward pod/tools 18080:8080`;
      const curl = 'curl --silent --show-error --retry 30 --retry-connrefused --retry-delay 1 http://127.0.0.1:18080/';
      const script = `${forward} >/dev/null & trap "kill $!" EXIT; ${curl} && ${curl}`;
      expect(await closed.network.run(['sh', '-c', script])).toBe('tools\ntools\n');
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

    it(
      `keeps a watch of that job, on which nothing happens for ${idle} s, though the proxy cuts what is silent for ${SILENCE} s`,
      { timeout: 600_000 + idle * 1000 },
      async () => {
        const { direct, watch, began } = other;
        await until('the end of the other watch', idle * 1000, () => !direct.isRunning);
        expect(direct.lines).toEqual(['cut']);
        await until('the end of the pause', idle * 1000, () => performance.now() - began > idle * 1000);
        expect(watch.lines).toEqual([]);
        await kubectl('create', 'configmap', 'after-all');
        await until('the event', 20_000, () => watch.lines.length > 0 || !watch.isRunning);
        expect(watch.lines).toEqual([expect.stringMatching(/^\{"type":"ADDED",.*"name":"after-all"/)]);
      },
    );

    it('survives the end of the tunnel of that job, with the connections that are open', async () => {
      const own = await startWatch(closed.kubeconfig, CONFIG_MAPS, 'afterwards');
      const post = await other.job.post('failure');
      other.job.clean();
      expect(post.exitCode, post.log).toBe(0);
      expect(post.log).not.toContain('problems of the tunnel');
      expect(identify(tunnelOf(other.main).pid)).toBeUndefined();
      await until('the end of its connection', 20_000, () => !other.watch.isRunning);
      await kubectl('create', 'configmap', 'afterwards');
      await until('the event', 20_000, () => own.lines.some((line) => line.includes('"name":"afterwards"')));
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
