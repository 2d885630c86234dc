import { afterAll, describe, expect, it } from 'vitest';
import { refusal, type Answer, type Received } from '../support/api-server.ts';
import { cleanUp, lines, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

const inputs = { command: 'delete', name: 'demo', timeout: '60s' };

/** Every list is empty but for those of these plurals. */
function answerWith(lists: Readonly<Record<string, Answer>>) {
  return ({ method, path }: Received): Answer | undefined => {
    const [, plural = '', name] = /\/namespaces\/knest\/(\w+)(\/\w+)?/.exec(path) ?? [];
    if (method !== 'GET' || plural === '' || name !== undefined) return undefined;
    return lists[plural] ?? { status: 200, body: { metadata: { resourceVersion: '1' }, items: [] } };
  };
}

describe('delete', () => {
  it('changes nothing when there is no such Cluster, even if disks have its labels and names', async () => {
    const labels = { 'cluster.x-k8s.io/cluster-name': 'demo', 'knest-action/repository-id': '4711' };
    const metadata = { name: 'demo-cp-abcde-rootfs', namespace: 'knest', uid: 'u', resourceVersion: '1', labels };
    const answer = answerWith({});
    const disks: Answer = { status: 200, body: { metadata: { resourceVersion: '1' }, items: [{ metadata }] } };
    const server = await startServer({
      isAdministrator: true,
      answer: (request) => {
        // As the API server does: a label that the disk does not have selects nothing.
        const isDisk = /\/(datavolumes|persistentvolumeclaims)\?/.test(request.path);
        return isDisk && !request.path.includes('managed') ? disks : answer(request);
      },
    });
    const result = await makeJob({ ...inputs, 'host-kubeconfig': server.kubeconfig() }).main();
    expect(server.writes).toEqual([]);
    expect(result.exitCode, result.log).toBe(0);
    expect(lines(result).join('\n')).toContain('there is no cluster knest/demo; nothing of demo is left');
  });

  it('names the kinds that it may not list, instead of assuming that they are gone', async () => {
    const forbidden = refusal(403, 'Forbidden', 'User "ci" cannot list resource "pods"');
    const server = await startServer({ isAdministrator: true, answer: answerWith({ pods: forbidden }) });
    const result = await makeJob({ ...inputs, 'host-kubeconfig': server.kubeconfig() }).main();
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).toContain('nothing of demo is left that these credentials may list; not verified: pods');
    expect(result.summary).toContain('not verified: pods');
  });
});
