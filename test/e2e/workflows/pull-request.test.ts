import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectGone } from '../expect.ts';
import { kubernetesVersion, leftovers, sharedHost } from '../support.ts';
import { Act, namespace, pullRequest } from './act.ts';

const host = sharedHost();
const file = 'pull-request.yml';
/** The name that the action generates: run and attempt, which act does not count, then the job. The rest is random. */
const cluster = 'knest-1-1-test';

describe(`workflows/${file}`, { timeout: 6 * 60_000 }, () => {
  let act: Act;
  beforeAll(async () => {
    act = await Act.prepare(host);
  });
  afterAll(() => act.clean());

  it('gives its steps a cluster, which is deleted after the job', async ({ skip }) => {
    skip(!host.hasVirtink, 'the release assets of Virtink are not available');
    const { code, log } = await act.run([file], { event: 'pull_request', payload: pullRequest(7) });
    expect(code, log).toBe(0);
    expect(log).toContain('Job succeeded');
    // The output of kubectl in the steps of the workflow: a node of this cluster, then the object that they created.
    expect(log).toMatch(
      new RegExp(`\\| ${cluster}-[0-9a-f]{8}-cp-\\S+ +\\w+ +control-plane +\\S+ +v${kubernetesVersion}\\n`),
    );
    expect(log).toMatch(/\| configmap\/hello created\n/);
    expect(log).toMatch(/\| hello +1 +\d+s\n/);
    expect(log).toMatch(new RegExp(`nothing of ${cluster}-[0-9a-f]{8} is left`));
    expect(await leftovers(host, namespace, cluster)).toEqual([]);
  });

  it('deletes the cluster of a failed job too', async ({ skip }) => {
    skip(!host.hasVirtink, 'the release assets of Virtink are not available');
    const text = readFileSync(resolve(import.meta.dirname, '../../../workflows', file), 'utf8');
    const failing = text.replace('kubectl get configmap hello\n', '$&          exit 1\n');
    const files = { [`.github/workflows/${file}`]: failing };
    const { code, log } = await act.run([], { event: 'pull_request', payload: pullRequest(7) }, files);
    expect(code, log).not.toBe(0);
    expect(log).toMatch(/Failure - Main Use the cluster/);
    expect(log).toMatch(/\| configmap\/hello created\n/);
    expect(log).toMatch(/Success - Post .*knest-action@v1/);
    await expectGone(host, namespace, cluster);
  });

  it('tells a pull request from a fork why it has no cluster', async () => {
    const payload = pullRequest(7, 'octo-fork/octo-repo');
    const { code, log } = await act.run([file], { event: 'pull_request', payload, options: ['--verbose'] });
    expect(code, log).toBe(0);
    expect(log).toContain("Skipping job 'Test on a cluster' due to 'github.event.pull_request.head.repo.full_name");
    expect(log).toContain('A pull request from a fork has no secrets, so it gets no cluster.');
    expect(log).not.toMatch(/Run (?:Main|Post) .*knest-action@v1/);
  });
});
