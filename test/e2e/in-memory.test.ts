import { describe, expect, it } from 'vitest';
import type { Job } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { cutShort, leftovers, nextStep, sharedHost } from './support.ts';

const namespace = 'in-memory';
const host = sharedHost();
const capd = 'capd-controller-manager';

/** In-memory machines of Cluster API: everything is the same except the VMs, and it is quick. */
describe('a cluster of in-memory machines', () => {
  const start = jobStarter(host, { infrastructure: 'in-memory', namespace });

  it('is created with all its nodes, and is gone after the post step', async () => {
    const job = start({ name: 'memory', 'worker-machine-count': '2', 'wait-for': 'nodes' });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    const kubeconfig = main.outputs['kubeconfig-path'] ?? '';
    const nodes = await host.run(['kubectl', '--kubeconfig', kubeconfig, 'get', 'nodes', '-o', 'name']);
    expect(nodes.trim().split('\n')).toHaveLength(3);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'memory');
  });

  it('is created after the action completes a component whose installation was interrupted, and only that one', async () => {
    await cutShort(host);
    const job = start({ name: 'half', 'wait-for': 'none' });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toMatch(/ s {2}in-memory infrastructure provider v\S+ is incomplete$/m);
    expect(main.log).not.toMatch(/ v\S+ is missing$/m);
    await job.post();
  });

  it('is refused while a component that others installed is incomplete, which stays as it is', async () => {
    const manifest = await host.kubectl(['get', 'deployment', '-n', 'capd-system', capd, '-o', 'json']);
    await host.kubectl(['delete', 'deployment', '-n', 'capd-system', capd]);
    const job = start({ name: 'refused', 'wait-for': 'none' });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(
      /^✖ in-memory infrastructure provider is only partly installed on this host, and not by this action {3}KNEST_INSTALL\n {2}Deployment capd-system\/capd-controller-manager is missing$/m,
    );
    expect(await host.kubectl(['get', 'deployment', '-n', 'capd-system', '-o', 'name'])).toBe('');
    await host.kubectl(['create', '-f', '-'], manifest);
    expect((await job.post()).exitCode).toBe(0);
  });

  it('is created by each of two jobs, while only one of them installs components', async () => {
    await cutShort(host);
    const both = ['one', 'two'].map((name) => start({ name, 'wait-for': 'none' }));
    const results = await Promise.all(both.map((job) => job.main()));
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const installed = results.filter(({ log }) => log.includes('is incomplete'));
    expect(installed).toHaveLength(1);
    await Promise.all(both.map((job) => job.post()));
  });

  it('uses the installed Cluster API without upgrading it, and is refused when that is too old', async () => {
    const core = ['-n', 'capi-system', 'providers.clusterctl.cluster.x-k8s.io', 'cluster-api'];
    const versionOf = (): Promise<string> => host.kubectl(['get', ...core, '-o', 'jsonpath={.version}']);
    const record = (version: string): Promise<string> =>
      host.kubectl(['patch', ...core, '--type=merge', '-p', JSON.stringify({ version })]);
    const deployments = ['get', 'deployments', '-A', '-l', 'cluster.x-k8s.io/provider', '-o'];
    const generations = 'jsonpath={range .items[*]}{.metadata.name} {.metadata.generation}{"\\n"}{end}';
    const before = await host.kubectl([...deployments, generations]);
    const version = await versionOf();
    try {
      // No other version can be built here. The same one runs, but its record has another version.
      await record('v1.12.3');
      const job = start({ name: 'older', 'wait-for': 'none' });
      const main = await job.main();
      expect(main.exitCode, main.log).toBe(0);
      expect(main.log).toMatch(/▸ Preflight .*Cluster API v1\.12\.3/);
      expect(main.log).toMatch(/nothing missing/);
      await job.post();
      expect(await versionOf()).toBe('v1.12.3');
      await record('v1.10.9');
      const refused = await start({ name: 'older', 'wait-for': 'none' }).main();
      expect(refused.exitCode).toBe(1);
      expect(refused.log).toMatch(/^✖ .*Cluster API v1\.10\.9.* has no v1beta2 API/m);
      expect(await leftovers(host, namespace, 'older')).toEqual([]);
    } finally {
      await record(version);
    }
    expect(await host.kubectl([...deployments, generations])).toBe(before);
  });

  it('is refused for a version without a known checksum', async () => {
    const job = start({ name: 'no-version', 'cluster-api-version': 'v1.14.99' });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    // The host has no access to GitHub, which would know it.
    expect(main.log).toMatch(
      /^✖ no known checksum for \S+\/v1\.14\.99\/clusterctl-linux-\w+ {3}KNEST_CHECKSUM\n {2}https:\/\/api\.github\.com does not answer: /m,
    );
    expect(await leftovers(host, namespace, 'no-version')).toEqual([]);
  });

  it('is used and deleted by its name, from other jobs of the repository', async () => {
    const maker = start({ name: 'lasting', ephemeral: 'false' });
    const made = await maker.main();
    expect(made.outputs).toMatchObject({ name: 'lasting', created: 'true', 'expires-at': '' });
    const post = await maker.post();
    expect(post.log).toContain('is not ephemeral: it stays');
    const { name = '' } = made.outputs;
    const user = start({ command: 'kubeconfig', name });
    const fetched = await user.main();
    expect(fetched.exitCode, fetched.log).toBe(0);
    const path = fetched.outputs['kubeconfig-path'] ?? '';
    expect(fetched.env['KUBECONFIG']).toBe(path);
    const namespaces = ['kubectl', '--kubeconfig', path, 'get', 'namespace', 'kube-system', '-o', 'name'];
    expect(await host.run(namespaces)).toBe('namespace/kube-system\n');
    expect((await user.post()).log).toBe('');
    // Without files, the log shows the order: secrets are masked before they are output.
    const told = (await user.main({ withoutFiles: true })).log.split('\n');
    const value = told.findIndex((line) => line.startsWith('::set-output name=kubeconfig::'));
    expect(told.findLastIndex((line) => line.startsWith('::add-mask::'))).toBeLessThan(value);
    expect(fetched.masks.length).toBeGreaterThan(20);
    const second = nextStep(host, user, fetched, { namespace, name: 'second', infrastructure: 'in-memory' });
    const madeBeside = await second.main();
    expect(madeBeside.exitCode, madeBeside.log).toBe(0);
    expect(madeBeside.log).toContain('(the host of in-memory/lasting, whose kubeconfig is in use)');
    expect(await host.kubectl(['get', 'clusters', '-n', namespace, '-o', 'name'])).toContain('/second\n');
    await second.post();
    expect(await leftovers(host, namespace, 'second')).toEqual([]);
    second.clean();
    const deleter = start({ command: 'delete', name });
    const deleted = await deleter.main();
    expect(deleted.exitCode, deleted.log).toBe(0);
    expect(await leftovers(host, namespace, 'lasting')).toEqual([]);
    const again = await deleter.main();
    expect(again.exitCode).toBe(0);
    expect(again.log).toContain('there is no cluster in-memory/lasting');
  });

  it('is created once an earlier cluster with its name is deleted', async () => {
    const first = start({ name: 'again', 'wait-for': 'none' });
    expect((await first.main()).exitCode).toBe(0);
    // Keeps the Cluster until the second job looks. It is the first in the list, since controllers remove their own.
    const hold = 'example.com/hold';
    const path = '/metadata/finalizers/0';
    const patch = (type: 'merge' | 'json', body: object): Promise<string> =>
      host.kubectl(['patch', 'cluster', 'again', '-n', namespace, `--type=${type}`, '-p', JSON.stringify(body)]);
    await patch('merge', { metadata: { finalizers: [hold, 'cluster.cluster.x-k8s.io'] } });
    let released: Promise<string> | undefined;
    await host.kubectl(['delete', 'cluster', 'again', '-n', namespace, '--wait=false']);
    const second = start(
      { name: 'again', 'wait-for': 'none' },
      {
        onLine: (line) => {
          if (line.includes('is still being deleted'))
            released ??= patch('json', [
              { op: 'test', path, value: hold },
              { op: 'remove', path },
            ]);
        },
      },
    );
    const main = await second.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain('Cluster in-memory/again is still being deleted; waiting until it is gone');
    await released;
    expect(main.outputs['created']).toBe('true');
    await second.post();
    await expectGone(host, namespace, 'again');
  });

  it('is adopted by the next attempt of its run, and by no other run', async () => {
    const attempt = (runId: string, number: string): Job =>
      start({ name: 'attempted', 'wait-for': 'none' }, { env: { GITHUB_RUN_ID: runId, GITHUB_RUN_ATTEMPT: number } });
    // Its post step runs too late, as if the runner had been lost.
    const lost = attempt('4001', '1');
    const first = await lost.main();
    expect(first.outputs['created'], first.log).toBe('true');
    const other = attempt('4002', '2');
    const refused = await other.main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toMatch(/another step or job owns it .* {3}KNEST_OWNED_BY_OTHER$/m);
    expect((await other.post()).exitCode).toBe(0);
    expect(await leftovers(host, namespace, 'attempted')).not.toEqual([]);
    const second = attempt('4001', '2');
    const main = await second.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.outputs['created']).toBe('false');
    const late = await lost.post();
    expect(late.exitCode, late.log).toBe(0);
    expect(late.log).toContain('in-memory/attempted stays: this step did not claim it');
    const post = await second.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'attempted');
  });

  it('is deleted by the post step of a job that was cancelled while it waited', async () => {
    const job = start(
      { name: 'cancelled' },
      {
        onLine: (line) => {
          if (line.includes('machine cancelled-cp')) job.process?.kill('SIGINT');
        },
      },
    );
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toContain('KNEST_CANCELLED');
    expect(await leftovers(host, namespace, 'cancelled')).not.toEqual([]);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'cancelled');
  });

  it('is deleted by the post step of a job whose main was killed', async () => {
    const job = start(
      { name: 'killed' },
      {
        onLine: (line) => {
          if (line.includes('Cluster in-memory/killed is created')) job.process?.kill('SIGKILL');
        },
      },
    );
    const main = await job.main();
    expect(main.signal).toBe('SIGKILL');
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'killed');
  });

  it('is saved for the post step before the first write to the host', async () => {
    // Without files, state goes to the log, between the debug lines for requests.
    const job = start({ name: 'state', 'wait-for': 'none' });
    const main = await job.main({ withoutFiles: true });
    const lines = main.log.split('\n');
    const saved = lines.findIndex((line) => line.startsWith('::save-state name=cluster::'));
    const reviews = /selfsubject(access)?reviews/; // a read, though it is a POST
    const written = lines.findIndex((line) => /^::debug::(POST|PUT|PATCH|DELETE) /.test(line) && !reviews.test(line));
    expect(saved).toBeGreaterThan(0);
    expect(written).toBeGreaterThan(saved);
    await start({ command: 'delete', name: 'state' }).main();
  });
});
