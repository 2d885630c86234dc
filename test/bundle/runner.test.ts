import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ApiServer } from '../support/api-server.ts';
import type { StepResult } from '../support/runner.ts';
import { created, startClusterHost } from './cluster-host.ts';
import { annotations, cleanUp, makeJob, startMirror, startServer } from './support.ts';

afterAll(cleanUp);

const FREE_SPACE = 'free space on the disk of this runner, or use a larger one';
const LEAVE_ALONE = 'do not remove files of the runner in earlier steps';
const REMOVE_DIRECTORY = 'remove the directory where a file is expected';
const MOUNT = 'mount RUNNER_TEMP without noexec: the action runs the programs that it downloads from there';

/** One error with advice, and no line of the bundle, which is all of it. */
function expectRunnerError(result: StepResult, problem: RegExp, next: string): void {
  expect(annotations(result, 'error'), result.log).toEqual([expect.stringMatching(problem)]);
  expect(result.log).toContain(`Next: ${next}`);
  expect(result.exitCode).toBe(1);
  expect(result.log.length).toBeLessThan(20_000);
}

/** A host without clusters, which can be listed. */
async function startEmptyHost(): Promise<ApiServer> {
  return startServer({
    answer: ({ path }) =>
      path.includes('/clusters') ? { status: 200, body: { kind: 'ClusterList', metadata: {}, items: [] } } : undefined,
  });
}

describe('a file of the runner that cannot be written', () => {
  it.each<[string, string, RegExp, string]>([
    [
      'GITHUB_STATE',
      '/dev/full',
      /^the file that GITHUB_STATE names cannot be written: ENOSPC.* \(KNEST_RUNNER\)$/,
      FREE_SPACE,
    ],
    [
      'GITHUB_STATE',
      '/no/such/file',
      /^the file that GITHUB_STATE names .* Missing file at path: \/no\/such\/file \(KNEST_RUNNER\)$/,
      LEAVE_ALONE,
    ],
    ['GITHUB_STATE', tmpdir(), /^the file that GITHUB_STATE names .* EISDIR.* \(KNEST_RUNNER\)$/, REMOVE_DIRECTORY],
    [
      'GITHUB_OUTPUT',
      '/dev/full',
      /^the file that GITHUB_OUTPUT names cannot be written: ENOSPC.* \(KNEST_RUNNER\)$/,
      FREE_SPACE,
    ],
  ])('is reported, with nothing written to the host: %s=%s', async (variable, path, problem, next) => {
    const server = await startEmptyHost();
    const inputs = { command: 'list', 'host-kubeconfig': server.kubeconfig() };
    expectRunnerError(await makeJob(inputs, { env: { [variable]: path } }).main(), problem, next);
    expect(server.writes).toEqual([]);
  });

  it('does not make the post step run main again when it is GITHUB_STATE', async () => {
    const server = await startEmptyHost();
    const inputs = { command: 'list', 'host-kubeconfig': server.kubeconfig() };
    const job = makeJob(inputs, { env: { GITHUB_STATE: '/dev/full' } });
    expect((await job.main()).exitCode).toBe(1);
    expect(await job.post('failure')).toMatchObject({ exitCode: 0, log: '' });
  });

  it('does not stop the post step from deleting the cluster', async () => {
    const host = await startClusterHost();
    const job = host.job({ name: 'demo' });
    await created(job);
    const post = await job.post('success', { GITHUB_STATE: '/dev/full', GITHUB_OUTPUT: '/dev/full' });
    expect(annotations(post, 'warning'), post.log).toEqual([]);
    expect(host.server.received.filter(({ method }) => method === 'DELETE')).not.toEqual([]);
  });

  it('does not fail the step when it is GITHUB_STEP_SUMMARY', async () => {
    const server = await startEmptyHost();
    const inputs = { command: 'list', 'host-kubeconfig': server.kubeconfig() };
    const result = await makeJob(inputs, { env: { GITHUB_STEP_SUMMARY: '/dev/full' } }).main();
    expect(result.exitCode, result.log).toBe(0);
  });
});

describe('an unusable tool cache', () => {
  it.each(['', '/dev/null/tools'])('is a warning, and the programs are downloaded: %j', async (path) => {
    const host = await startClusterHost();
    const main = await created(host.job({ name: 'demo' }, { RUNNER_TOOL_CACHE: path }));
    expect(annotations(main, 'warning').filter((text) => text.includes('tool cache'))).toHaveLength(1);
  });
});

describe('a disk of the runner', () => {
  /** Runs `work` with a directory on a separate disk. */
  async function withDisk<T>(options: string, work: (directory: string) => Promise<T>): Promise<T> {
    const directory = mkdtempSync(join(tmpdir(), 'knest-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', directory]);
    try {
      return await work(directory);
    } finally {
      execFileSync('umount', ['--lazy', directory]);
      rmSync(directory, { recursive: true });
    }
  }

  describe.skipIf(process.getuid?.() !== 0)('as root, which may mount one', () => {
    it('that is full is reported', async () => {
      const host = await startClusterHost();
      const mirror = await startMirror(() => 'x'.repeat(1_000_000));
      const result = await withDisk('size=256k', (temp) => host.job(mirror, { RUNNER_TEMP: temp }).main());
      expectRunnerError(result, /^this runner cannot do what the action needs: ENOSPC.* \(KNEST_RUNNER\)$/, FREE_SPACE);
    });

    it('that is mounted with noexec is reported', async () => {
      const host = await startClusterHost();
      const result = await withDisk('noexec', (temp) => host.job({}, { RUNNER_TEMP: temp }).main());
      const problem = /^this runner cannot do what the action needs: spawn \S+clusterctl EACCES \(KNEST_RUNNER\)$/;
      expectRunnerError(result, problem, MOUNT);
    });
  });

  it('that has a directory in place of a file is reported', async () => {
    const host = await startClusterHost();
    const job = host.job();
    mkdirSync(join(job.temp, 'knest'), { mode: 0o700 });
    mkdirSync(join(job.temp, 'knest', 'clusterctl.yaml'));
    const problem = /^this runner cannot do what the action needs: EISDIR.* \(KNEST_RUNNER\)$/;
    expectRunnerError(await job.main(), problem, REMOVE_DIRECTORY);
  });
});
