import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { versions } from '../host/modules.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { jobOn, leftovers, sharedHost } from './support.ts';

const namespace = 'diagnostics';
const host = sharedHost();

/** The files that a step left, by name. */
function filesOf({ outputs }: StepResult): ReadonlyMap<string, string> {
  const directory = outputs['diagnostics-path'] ?? '';
  const names = globSync('*', { cwd: directory });
  return new Map(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

/** The template of in-memory machines, with machines that take longer to start than any test. */
function endlessTemplate(directory: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../src/cluster/template/templates/in-memory.yaml'), 'utf8');
  const slow = 'inMemory: { vm: { provisioning: { startupDuration: 1h } } }';
  const file = join(directory, 'endless.yaml');
  // Those of machines are deeper than that of the cluster.
  writeFileSync(file, text.replaceAll(/^( {8})inMemory: \{\}$/gm, `$1${slow}`));
  return file;
}

describe('a job that fails', () => {
  const start = jobStarter(host, { infrastructure: 'in-memory', namespace });
  const directory = mkdtempSync(join(tmpdir(), 'knest-diagnostics-'));
  const jobs = new Map<string, Job>();
  const mains = new Map<string, StepResult>();
  const mainOf = (name: string): StepResult => {
    const main = mains.get(name);
    if (main === undefined) throw new Error(`${name} did not run`);
    return main;
  };

  beforeAll(async () => {
    const common = {
      infrastructure: `docker:${versions.clusterAPI}`,
      'cluster-template': endlessTemplate(directory),
      namespace,
      // Long enough to reach the wait on a busy machine.
      timeout: '60s',
      'wait-for': 'nodes',
    };
    await host.kubectl(['create', 'namespace', namespace]);
    await host.kubectl(['create', '-f', '-'], hostileEvent('hostile'));
    const inputs = { late: {}, kept: { 'keep-on-failure': 'true' }, hostile: {} };
    const run = async ([name, more]: [string, Readonly<Record<string, string>>]): Promise<void> => {
      const job = jobOn(host, { ...common, ...more, name });
      jobs.set(name, job);
      mains.set(name, await job.main());
    };
    await Promise.all(Object.entries(inputs).map(run));
  });
  afterAll(() => {
    jobs.forEach((job) => job.clean());
    rmSync(directory, { recursive: true });
  });

  it('shows conditions, events and errors of controllers, in files too, before it deletes the cluster', async () => {
    const main = mainOf('late');
    expect(main.exitCode).toBe(1);
    const files = filesOf(main);
    expect(files.get('conditions.txt')).toMatch(
      /^Cluster late .*\n {2}[✖✔] [\s\S]*\n {2}KubeadmControlPlane late-cp \(0 of 1 ready\)\n {4}[✖✔] /,
    );
    expect(files.get('events.txt')).toMatch(/^Event \S+ Cluster late: \w+: /m);
    const controllers = [...files].filter(([name]) => name.startsWith('controller-'));
    expect(controllers.map(([name]) => name)).toContainEqual(expect.stringMatching(/^controller-capi-controller-/));
    for (const [name, text] of controllers) {
      const others = text.split('\n').filter((line) => line !== '' && !/\blate\b/.test(line));
      expect(others, name).toEqual([]);
    }
    const order = ['::group::▸ Conditions (conditions.txt)', 'KNEST_TIMEOUT', 'Cleaned up: all gone'];
    const places = order.map((text) => main.log.indexOf(text));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places).not.toContain(-1);
    expect(await leftovers(host, namespace, 'late')).toEqual([]);
  });

  it('keeps its cluster on request, says how to reach and delete it, and does not extend its expiry', async () => {
    const main = mainOf('kept');
    expect(main.exitCode).toBe(1);
    const expiry = main.outputs['expires-at'] ?? '';
    const command = `kubectl delete cluster -n ${namespace} kept`;
    for (const text of [main.log, main.summary]) {
      expect(text).toContain(`Kept: Cluster ${namespace}/kept is still there, until ${expiry} at the latest.`);
      expect(text).toContain(`Delete it: ${command}`);
    }
    // Even when the job goes on and succeeds.
    const post = await jobs.get('kept')?.post('success');
    expect(post?.exitCode, post?.log).toBe(0);
    const annotation = 'jsonpath={.metadata.annotations.knest-action/expires-at}';
    expect(await host.kubectl(['get', 'cluster', 'kept', '-n', namespace, '-o', annotation])).toBe(expiry);
    // The command as it was printed.
    await host.run(command.split(' '), { timeout: 300_000 });
    expect(await host.kubectl(['get', 'cluster', '-n', namespace, '-o', 'name', '--ignore-not-found'])).toBe('');
  });

  it('shows the conditions of its cluster when a later step fails, and then deletes it', async () => {
    const job = start({ name: 'later', 'wait-for': 'none' });
    expect((await job.main()).exitCode).toBe(0);
    const post = await job.post('failure');
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('Cluster later');
    // A deletion without news is one line, without a group.
    const [conditions, deletion] = [/^::group::▸ Conditions/m, /▸ Delete\b/].map((line) => post.log.search(line));
    expect(conditions).toBeGreaterThan(-1);
    expect(deletion).toBeGreaterThan(conditions ?? 0);
    await expectGone(host, namespace, 'later');
  });

  it('runs no workflow command that comes from the cluster', () => {
    const main = mainOf('hostile');
    expect(main.log).toContain('add-mask::stolen');
    expect(main.masks).not.toContain('stolen');
    const commands = main.log.split('\n').filter((line) => /^\s*::/.test(line) || line.includes('##['));
    expect(commands.filter((line) => !/^::(?:add-mask|debug|group|endgroup|error)::/.test(line))).toEqual([]);
    expect(main.summary).not.toContain('\n```\n<img');
  });
});

/** An event about a Cluster, as anyone who may write events can create it. */
function hostileEvent(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.hostile`, namespace },
    involvedObject: { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', name, namespace },
    reason: 'Hostile',
    message: 'x\n::add-mask::stolen\n##[error]x\n\u0085::set-output name=name::y\n```\n<img src=x>',
    type: 'Warning',
    // The newest, whatever the controllers report.
    lastTimestamp: new Date(Date.now() + 3_600_000).toISOString(),
  });
}
