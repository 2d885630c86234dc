import { describe, expect, it } from 'vitest';
import { describeRest, keepTying, removeCluster, type Removal } from '../../../../src/cluster/lifecycle/delete.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';

const handle = { name: 'pr', namespace: 'knest' };
const cluster = { metadata: { name: 'pr', namespace: 'knest', uid: 'u', labels: { owner: 'us' } } };

describe('keepTying', () => {
  it('ties disks until no machine is left that may have some', async () => {
    let times = 0;
    await keepTying(() => Promise.resolve(++times < 3), new AbortController().signal, 1);
    expect(times).toBe(3);
  });

  it('ends with the deletion', async () => {
    const ended = new AbortController();
    let times = 0;
    const tie = async (): Promise<boolean> => {
      if (++times === 2) ended.abort();
      return Promise.resolve(true);
    };
    await keepTying(tie, ended.signal, 1);
    expect(times).toBe(2);
  });
});

describe('removeCluster', () => {
  it('requests the deletion again while the host cannot answer', async () => {
    let deletions = 0;
    const { client } = await clientOf((response, _number, { method, path }) => {
      if (method === 'DELETE' && ++deletions <= 7) refuse(response, 500, { 'retry-after': '0' });
      else if (path.includes('?')) json(response, { metadata: { resourceVersion: '1' }, items: [] });
      else json(response, cluster);
    });
    const lines: string[] = [];
    const log = { line: (line: string): void => void lines.push(line) };
    const removal = await removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(20_000));
    expect([removal, deletions]).toEqual([{ existed: true, unverified: [] }, 8]);
    expect(lines).toEqual([expect.stringMatching(/^requesting deletion again: DELETE .* failed with 500 /)]);
  });

  it('requests it again, with pauses, when the Cluster changes every time', async () => {
    const { client, received } = await clientOf((response, _number, { method }) => {
      if (method === 'DELETE') refuse(response, 409);
      else json(response, cluster);
    });
    const log = { line: (): void => undefined };
    const failure = await rejection(
      removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(1_500)),
    );
    expect(failure).toMatchObject({ status: 409 });
    expect(received.length).toBeLessThan(8);
  });

  it('ends with the last answer of the host at its timeout', async () => {
    const { client } = await clientOf((response, _number, { method }) => {
      if (method === 'DELETE') refuse(response, 503, { 'retry-after': '0' });
      else json(response, cluster);
    });
    const log = { line: (): void => undefined };
    const failure = await rejection(
      removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(1_500)),
    );
    expect(String(failure)).toContain('failed with 503');
  });

  /** Runs a deletion. Returns its writes and its lists of objects that may have disks, in order. */
  async function deletion(
    answer: (plural: string) => object | number | undefined,
  ): Promise<{ readonly requests: readonly string[]; readonly lines: readonly string[]; readonly removal: Removal }> {
    let isThere = true;
    const { client, received } = await clientOf((response, _number, { method, path }) => {
      const [, plural = '', name = ''] = /namespaces\/knest\/([^/?]+)\/?([^?]*)/.exec(path) ?? [];
      const answered = plural === 'clusters' ? undefined : answer(plural);
      if (path.includes('watch=true')) response.writeHead(200).flushHeaders();
      else if (method === 'DELETE' && plural === 'clusters') json(response, { ok: (isThere = false) });
      else if (method !== 'GET') json(response, {});
      else if (plural === 'clusters' && name !== '' && isThere) json(response, cluster);
      else if (plural === 'clusters' && name !== '') refuse(response, 404);
      else if (typeof answered === 'number') refuse(response, answered);
      else json(response, { items: [], metadata: { resourceVersion: '1' }, ...answered });
    });
    const lines: string[] = [];
    const log = { line: (line: string): void => void lines.push(line) };
    const removal = await removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(20_000));
    const requests = received.map(({ method, path }) => `${method} ${path.replace(/.*\/namespaces\/knest\//, '')}`);
    return { requests, lines, removal };
  }

  it('looks for the disks of its machines before it requests the deletion', async () => {
    const { requests } = await deletion(() => undefined);
    const machines = requests.findIndex((request) => request.startsWith('GET virtinkmachines?limit'));
    expect(machines).toBeGreaterThan(0);
    expect(requests.indexOf('DELETE clusters/pr')).toBeGreaterThan(machines);
  });

  it('requests the deletion even when it may not look for the disks, and logs that', async () => {
    const { requests, lines } = await deletion((plural) => (plural === 'virtinkmachines' ? 403 : undefined));
    expect(requests).toContain('DELETE clusters/pr');
    expect(lines).toContainEqual(expect.stringMatching(/^disks of its machines may remain: GET .* failed with 403/));
  });

  it('requests the deletion within a second when the host does not list the disks', async () => {
    let asked = 0;
    const { client } = await clientOf((response, _number, { method, path }) => {
      if (method === 'DELETE') asked = performance.now();
      if (method === 'DELETE') refuse(response, 404);
      else if (path.endsWith('/clusters/pr')) json(response, cluster);
    });
    const began = performance.now();
    const time = AbortSignal.timeout(2_500);
    await rejection(
      removeCluster(client.until(time), handle, { labels: { owner: 'us' } }, { line: () => undefined }, time),
    );
    expect(asked - began).toBeGreaterThan(900);
    expect(asked - began).toBeLessThan(2_000);
  });

  it('changes nothing without a Cluster, even if disks have its name and labels', async () => {
    const labels = { 'cluster.x-k8s.io/cluster-name': 'pr', 'knest-action/repository-id': '4711' };
    const disk = { metadata: { name: 'pr-cp-abcde-rootfs', namespace: 'knest', uid: 'd', labels } };
    const answer = (plural: string) =>
      ['datavolumes', 'persistentvolumeclaims'].includes(plural) ? { items: [disk] } : undefined;
    const asked: string[] = [];
    const { client } = await clientOf((response, _number, { method, path }) => {
      const [, plural = ''] = /namespaces\/knest\/([^/?]+)/.exec(path) ?? [];
      // As the API server does: disks without the label of the action are not selected by it.
      const isSelected = !path.includes('managed');
      if (method !== 'GET') asked.push(`${method} ${path}`);
      if (path.includes('watch=true')) response.writeHead(200).flushHeaders();
      else if (path.endsWith('/clusters/pr')) refuse(response, 404);
      else json(response, { items: [], metadata: { resourceVersion: '1' }, ...(isSelected && answer(plural)) });
    });
    const log = { line: (): void => undefined };
    const removal = await removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(20_000));
    expect(removal).toEqual({ existed: false, unverified: [] });
    expect(asked).toEqual([]);
  });

  it('names the kinds that it may not list, instead of assuming that they are gone', async () => {
    const { removal } = await deletion((plural) => (['pods', 'secrets'].includes(plural) ? 403 : undefined));
    expect(removal.existed).toBe(true);
    expect([...removal.unverified].sort()).toEqual(['pods', 'secrets']);
    expect(describeRest('pr', removal)).toMatch(
      /^nothing of pr is left that these credentials may list; not verified: (pods, secrets|secrets, pods)$/,
    );
  });

  it('fails when it may not list Clusters, since it could not know when one is gone', async () => {
    const { client } = await clientOf((response, _number, { method, path }) => {
      if (path.includes('/clusters?')) refuse(response, 403);
      else if (path.includes('watch=true')) response.writeHead(200).flushHeaders();
      else if (path.includes('?')) json(response, { metadata: { resourceVersion: '1' }, items: [] });
      else if (path.includes('/secrets/')) refuse(response, 404);
      else json(response, method === 'GET' ? cluster : {});
    });
    const log = { line: (): void => undefined };
    const removal = removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(20_000));
    expect(await rejection(removal)).toMatchObject({ code: 'KNEST_PERMISSION' });
  });

  it('ends once it has looked for the Secrets after everything else was gone', async () => {
    const labels = { 'cluster.x-k8s.io/cluster-name': 'pr' };
    const secret = { metadata: { name: 'pr-ca', namespace: 'knest', labels } };
    let [looks, end] = [0, (): void => undefined];
    const { client } = await clientOf((response, _number, { method, path }) => {
      const isOfClusters = path.includes('/clusters?');
      if (path.includes('watch=true')) {
        response.writeHead(200).flushHeaders();
        if (isOfClusters) end = () => response.write(`${JSON.stringify({ type: 'DELETED', object: cluster })}\n`);
      } else if (path.includes('?')) {
        json(response, { metadata: { resourceVersion: '1' }, items: isOfClusters ? [cluster] : [] });
      } else if (path.endsWith('/secrets/pr-ca')) {
        // It was created after the first look, and is deleted after the second.
        looks += 1;
        if (looks === 2) json(response, secret);
        else refuse(response, 404);
      } else if (path.includes('/secrets/')) {
        refuse(response, 404);
        if (looks === 1) end();
      } else json(response, method === 'GET' ? cluster : {});
    });
    const log = { line: (): void => undefined };
    await removeCluster(client, handle, { labels: { owner: 'us' } }, log, AbortSignal.timeout(20_000));
    expect(looks).toBe(3);
  }, 20_000);
});
