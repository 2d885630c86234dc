import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { identify } from '../../src/runner/background.ts';
import { nobodyElse } from '../host/authentication.ts';
import { relayImage } from '../host/images.ts';
import { succeeds, until } from '../host/process.ts';
import type { Job } from '../support/runner.ts';
import { tunnelOf } from '../support/saved-tunnel.ts';
import { Issuer } from './issuer.ts';
import { jobStarter } from './jobs.ts';
import { Program, supportProgram } from './program.ts';
import { install, leftovers, sharedHost } from './support.ts';

const namespace = 'knest'; // as docs/rbac and docs/oidc have it
const audience = 'knest:my-host';
const server = 'https://172.30.0.10:6443';
const host = sharedHost();
const documents = join(import.meta.dirname, '../../docs');
const files = mkdtempSync(join(tmpdir(), 'knest-oidc-'));
afterAll(() => rmSync(files, { recursive: true }));

/** The API server accepts tokens by docs/oidc/authentication.yaml, with the keys of an issuer of these tests. */
describe('a host that accepts OIDC tokens of GitHub', () => {
  let issuer: Issuer;
  let caCertificate: string;

  const startJob = jobStarter(host, { infrastructure: 'in-memory', namespace, 'host-kubeconfig-file': '' });
  const start = (
    inputs: Readonly<Record<string, string>>,
    parameters: Readonly<Record<string, string>> = {},
    onLine: (line: string) => void = () => undefined,
  ): Job => {
    const oidc = { 'host-server': server, 'host-ca-certificate': caCertificate, 'host-oidc-audience': audience };
    return startJob({ ...oidc, ...inputs }, { env: issuer.environment(parameters), onLine });
  };

  beforeAll(async () => {
    issuer = await Issuer.start(host);
    host.authenticateBy(issuer.configuration);
    const files = ['rbac/namespace.yaml', 'oidc/role-binding.yaml'];
    for (const file of files) await host.kubectl(['apply', '-f', join(documents, file)]);
    const path = 'jsonpath={.clusters[0].cluster.certificate-authority-data}';
    caCertificate = await host.kubectl(['config', 'view', '--raw', '-o', path]);
    await until('the API server to take tokens', 120_000, async () => {
      const token = await issuer.token(host, audience);
      const { command, args } = host.command([
        ...[join(host.binaries, 'kubectl'), '--kubeconfig=/dev/null', `--server=${server}`],
        ...['--insecure-skip-tls-verify', `--token=${token}`, 'auth', 'whoami'],
      ]);
      return succeeds(command, args);
    });
  }, 600_000);

  afterAll(async () => {
    host.authenticateBy(nobodyElse);
    await host.kubectl(['delete', '-f', join(documents, 'oidc/role-binding.yaml'), '--ignore-not-found']);
    await issuer.stop();
  });

  it('runs a cluster for a job whose token expires while it waits, and whose post step deletes it', async () => {
    const seconds = 20;
    const pause = (paused: boolean): Promise<string> =>
      host.kubectl(['patch', 'cluster', 'oidc', '-n', namespace, '--type=merge', `-p={"spec":{"paused":${paused}}}`]);
    let whenClaimed: (claimed: number) => void = () => undefined;
    const claimed = new Promise<number>((resolve) => (whenClaimed = resolve));
    const before = issuer.minted.length;
    // Once it runs, the host is asked whether its add-ons are applied, with another token.
    const addon = join(files, 'addon.yaml');
    writeFileSync(addon, '{ apiVersion: v1, kind: ConfigMap, metadata: { name: late } }');
    const inputs = { name: 'oidc', 'wait-for': 'nodes', addons: addon };
    const job = start(inputs, { lifetime: String(seconds) }, (line) => {
      if (line.includes('Cluster knest/oidc is created')) whenClaimed(Date.now());
    });
    const running = job.main();
    // Cluster API ignores a paused cluster: the job waits until all of its tokens have expired.
    const since = await Promise.race([claimed, running.then(({ log }) => Promise.reject(new Error(log)))]);
    await pause(true);
    const atPause = issuer.minted.length;
    await until('the end of the tokens', 60_000, () => Date.now() - since > seconds * 1_000 || undefined);
    await pause(false);
    const main = await running;
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain(`as github-actions:1296269 (OIDC, audience ${audience})`);
    expect(atPause).toBeGreaterThan(before);
    expect(issuer.minted.length).toBeGreaterThan(atPause);
    expect(new Set(issuer.minted.slice(before))).toEqual(new Set([audience]));
    // Every token is a secret, and no file keeps any of it.
    const tokens = [...new Set(main.masks.filter((mask) => mask.startsWith('eyJ')))];
    expect(tokens).toHaveLength(issuer.minted.length - before);
    for (const token of tokens) expect(main.shown + JSON.stringify(main.state) + main.summary).not.toContain(token);
    expect(JSON.parse(main.state['host'] ?? '')).toMatchObject({ hostOidc: { server, audience } });
    // The record names the host for later steps, without credentials.
    const kept = readdirSync(join(job.temp, 'knest')).filter((name) => name.startsWith('host-'));
    expect(kept).toEqual(['host-of-knest-oidc.json']);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('nothing of oidc is left');
    expect(await leftovers(host, namespace, 'oidc')).toEqual([]);
  });

  // Machines in memory find their cluster by the address in a request, which a tunnel changes.
  it.skipIf(!host.hasVirtink)(
    'gives a job a tunnel that renews the token for the next connection, while an earlier one goes on',
    async () => {
      const seconds = 10;
      const machines = {
        infrastructure: 'virtink',
        'worker-machine-count': '0',
        cni: 'none',
        'wait-for': 'control-plane',
      };
      const access = { 'api-access': 'tunnel', 'relay-image': relayImage };
      await install(host, { infrastructure: 'virtink' });
      const job = start({ name: 'tunneled', ...machines, ...access }, { lifetime: String(seconds) });
      const main = await job.main();
      expect(main.exitCode, main.log).toBe(0);
      const { pid, log } = tunnelOf(main);
      // While its cluster starts, a connection may end without an answer.
      const logged = readFileSync(log, 'utf8').length;
      const kubeconfig = main.outputs['kubeconfig-path'] ?? '';
      const path = '/api/v1/namespaces?watch=true';
      const watch = await Program.start((argv) => host.command(argv), supportProgram('watch.ts', kubeconfig, path));
      onTestFinished(() => watch.stop());
      const [earlier, began] = [issuer.minted.length, performance.now()];
      await until('the end of the tokens', 60_000, () => performance.now() - began > seconds * 1_000);
      await host.run(['kubectl', '--kubeconfig', kubeconfig, 'create', 'namespace', 'later']);
      expect(issuer.minted.slice(earlier)).toContain(audience);
      await until('the event', 20_000, () => watch.lines.some((line) => line.includes('"name":"later"')));
      const tunnelLog = readFileSync(log, 'utf8');
      expect(tunnelLog).not.toContain('eyJ');
      expect(tunnelLog.slice(logged)).not.toContain('✖');
      const post = await job.post();
      expect(post.exitCode, post.log).toBe(0);
      expect(identify(pid)).toBeUndefined();
      expect(await leftovers(host, namespace, 'tunneled')).toEqual([]);
    },
  );

  it.each([
    ['for another audience', { 'host-oidc-audience': 'knest:other' }, {}, 'audience knest:other, '],
    ['that has expired', {}, { age: '900' }, ', expired since '],
  ])('refuses a token %s, and the job logs its claims', async (_what, inputs, parameters, told) => {
    const main = await start({ name: 'refused', ...inputs }, parameters).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/✖ GET \/version failed with 401 Unauthorized: .* {3}KNEST_HOST_CREDENTIALS$/m);
    expect(main.log).toContain(told);
    expect(main.log).toContain('repository octo-org/octo-repo (id 1296269), event push');
    expect(main.log).toContain('AuthenticationConfiguration');
  });

  it('gives another repository no permissions, and the job logs what is missing', async () => {
    const main = await start({ name: 'foreign' }, { repository_id: '99' }).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toContain('as github-actions:99 ');
    expect(main.log).toContain('KNEST_PERMISSION');
    expect(main.log).toContain('create clusters.cluster.x-k8s.io in knest: to create the cluster');
    expect(await leftovers(host, namespace, 'foreign')).toEqual([]);
  });
});
