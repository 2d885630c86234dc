import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectGone } from '../expect.ts';
import { leftovers, sharedHost } from '../support.ts';
import { Act, namespace, pullRequest, repository, type Trigger } from './act.ts';

const host = sharedHost();
const file = 'pull-request-environment.yml';

describe(`workflows/${file}`, { timeout: 8 * 60_000 }, () => {
  let act: Act;
  beforeAll(async () => {
    act = await Act.prepare(host);
  });
  afterAll(() => act.clean());

  const push = (sha: string): Trigger => ({ event: 'pull_request', payload: pullRequest(7, repository.name, sha) });
  const close: Trigger = { event: 'pull_request_target', payload: { action: 'closed', ...pullRequest(7) } };

  it('keeps one cluster over the pushes of a pull request, and deletes it on close', async ({ skip }) => {
    skip(!host.hasVirtink, 'the release assets of Virtink are not available');
    const first = await act.run([file], push('a'.repeat(40)));
    expect(first.code, first.log).toBe(0);
    expect(first.log).toMatch(/\| configmap\/deployed created\n/);
    expect(first.log).toContain('it stays');
    const second = await act.run([file], push('b'.repeat(40)));
    expect(second.code, second.log).toBe(0);
    // The object from the first push still exists: it is the same cluster.
    expect(second.log).toMatch(/\| configmap\/deployed configured\n/);
    expect(second.log).toMatch(/\| b{40}\n/);
    expect(await leftovers(host, namespace, 'pr-7')).toContain('cluster.cluster.x-k8s.io/pr-7');
    const closed = await act.run([file], close);
    expect(closed.code, closed.log).toBe(0);
    expect(closed.log).toContain('Delete the cluster');
    expect(closed.log).not.toContain('actions/checkout');
    await expectGone(host, namespace, 'pr-7');
  });

  it('succeeds when a pull request without a cluster is closed', async () => {
    const { code, log } = await act.run([file], close);
    expect(code, log).toBe(0);
    expect(log).toContain(`there is no cluster ${namespace}/pr-7`);
  });

  it('gives a fork only the reason why it has no cluster, on push and on close', async () => {
    const payload = pullRequest(7, 'octo-fork/octo-repo');
    const pushed = await act.run([file], { event: 'pull_request', payload });
    expect(pushed.code, pushed.log).toBe(0);
    expect(pushed.log).toContain('A pull request from a fork has no secrets, so it gets no cluster.');
    const closed = await act.run([file], { event: 'pull_request_target', payload });
    expect(closed.code, closed.log).toBe(0);
    expect(pushed.log + closed.log).not.toContain('knest-action');
  });
});
