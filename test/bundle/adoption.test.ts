import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { KubernetesObject } from '../../src/host/api/objects.ts';
import type { Received } from '../support/api-server.ts';
import { clusterOf, created, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { annotations, cleanUp } from './support.ts';

afterAll(cleanUp);

/** Another run of the workflow, for example of a later push. */
const OTHER_RUN = { GITHUB_RUN_ID: '1658821999' };
const SECOND_ATTEMPT = { GITHUB_RUN_ATTEMPT: '2' };

/** Writes to objects of clusters, without namespace and query. */
function writes(requests: readonly Received[]): readonly string[] {
  return requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '').replace(/^.*\/namespaces\//, '')}`);
}

function dependents({ store }: ClusterHost): readonly (KubernetesObject | undefined)[] {
  return [Kinds.kubeadmControlPlane, Kinds.machineDeployment, Kinds.devCluster, Kinds.devMachineTemplate].flatMap(
    (kind) => store.of<KubernetesObject>(kind),
  );
}

describe('an existing cluster', () => {
  it('is refused to another job of the same run, before any write, with advice to use command: kubeconfig', async () => {
    const host = await startClusterHost();
    await created(host.job({ name: 'taken' }));
    const before = clusterOf(host, 'taken');
    const sent = host.server.writes.length;
    const main = await host.job({ name: 'taken' }, { GITHUB_JOB: 'other' }).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/ {3}KNEST_OWNED_BY_OTHER$/m);
    expect(main.log).toMatch(/Next: .*command: kubeconfig/);
    expect(host.server.writes.length).toBe(sent);
    expect(clusterOf(host, 'taken')).toEqual(before);
  });

  it('is adopted by a later attempt of the same job and step, in one guarded write of owner, expiry and claim', async () => {
    const host = await startClusterHost();
    const leg = { name: 'lost', 'job-index': '1', ttl: '1h' };
    const pullRequest = { GITHUB_REF: 'refs/pull/7/merge' };
    await created(host.job(leg, pullRequest));
    const before = clusterOf(host, 'lost') as KubernetesObject;
    const sent = host.server.writes.length;
    const main = await created(host.job({ ...leg, ttl: '2h' }, { ...SECOND_ATTEMPT, ...pullRequest }));
    expect(main.outputs['created']).toBe('false');
    expect(annotations(main, 'warning')).toEqual([]);
    const requests = host.server.writes.slice(sent);
    // The first one is answered 409: what exists is judged, and never created or applied.
    expect(writes(requests)).toEqual(['POST knest/clusters', 'PATCH knest/clusters/lost']);
    const { uid, resourceVersion } = before.metadata;
    expect(requests[1]?.body).toEqual({
      metadata: {
        uid,
        resourceVersion,
        labels: {
          'knest-action/managed': 'true',
          'knest-action/server': 'github.com',
          'knest-action/repository-id': '1296269',
          'knest-action/run-id': '1658821493',
          'knest-action/pull-request': '7',
        },
        annotations: {
          'knest-action/repository': 'octo-org/octo-repo',
          'knest-action/run-url': 'https://github.com/octo-org/octo-repo/actions/runs/1658821493',
          'knest-action/run-attempt': '2',
          'knest-action/job': 'test[1]',
          'knest-action/ephemeral': 'true',
          'knest-action/claim': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
          'knest-action/expires-at': main.outputs['expires-at'],
        },
      },
    });
  });

  it('keeps its version and the changes of its users when another run adopts it, with warnings that name the command', async () => {
    const host = await startClusterHost();
    const inputs = { name: 'pr-7', ephemeral: 'false', ttl: '7d' };
    await created(host.job({ ...inputs, 'kubernetes-version': '1.31.0' }));
    for (const [kind, name] of [
      [Kinds.kubeadmControlPlane, 'pr-7-cp'],
      [Kinds.machineDeployment, 'pr-7-md-0'],
    ] as const) {
      const object = host.store.find(kind, name);
      if (object !== undefined)
        host.store.put({ ...object, spec: { ...object.spec, replicas: 3 } } as KubernetesObject);
    }
    // A user of the cluster deleted it.
    const path = '/apis/infrastructure.cluster.x-k8s.io/v1beta2/namespaces/knest/devmachinetemplates/pr-7-md-0';
    host.store.answer({ method: 'DELETE', path, body: {} });
    const before = dependents(host);
    const sent = host.server.writes.length;
    const main = await created(host.job({ ...inputs, 'kubernetes-version': '1.32.0' }, OTHER_RUN));
    expect(writes(host.server.writes.slice(sent))).toEqual(['POST knest/clusters', 'PATCH knest/clusters/pr-7']);
    expect(dependents(host)).toEqual(before);
    expect(annotations(main, 'warning')).toEqual([
      'pr-7 stays as it is: its Kubernetes version is v1.31.0, not v1.32.0; delete it (command: delete) and create it again to change that',
      "pr-7 stays as it is: it has 3:3 machines (CP:WORKER), not 1:1; run command: scale with replicas: '1:1' to change that",
    ]);
    expect(main.outputs).toMatchObject({ created: 'false', 'kubernetes-version': 'v1.31.0' });
    const { labels, annotations: marks } = (clusterOf(host, 'pr-7') as KubernetesObject).metadata;
    expect(labels?.['knest-action/run-id']).toBe(OTHER_RUN.GITHUB_RUN_ID);
    expect(marks?.['knest-action/expires-at']).toBe(main.outputs['expires-at']);
  });
});

describe('a non-ephemeral cluster of a pull request', () => {
  it('is refused to a run without a pull request, and adopted by a comment on its own pull request', async () => {
    const host = await startClusterHost();
    const inputs = { name: 'pr-7', ephemeral: 'false' };
    await created(host.job(inputs, { GITHUB_REF: 'refs/pull/7/merge' }));
    const refused = await host.job(inputs, { ...OTHER_RUN, GITHUB_REF: 'refs/heads/main' }).main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toMatch(/it is for pull request 7, whose code may have changed.* {3}KNEST_OWNED_BY_OTHER$/m);
    const event = join(mkdtempSync(join(tmpdir(), 'knest-event-')), 'event.json');
    onTestFinished(() => rmSync(dirname(event), { recursive: true }));
    writeFileSync(event, JSON.stringify({ issue: { number: 7, pull_request: {} } }));
    const comment = { ...OTHER_RUN, GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_PATH: event };
    expect((await created(host.job(inputs, comment))).outputs['created']).toBe('false');
    // A fork's workflow_run does not carry the number: the input does.
    const given = { ...inputs, 'pull-request': '7' };
    await created(host.job(given, { ...OTHER_RUN, GITHUB_REF: 'refs/heads/main' }));
    expect(clusterOf(host, 'pr-7')?.metadata.labels?.['knest-action/pull-request']).toBe('7');
  });
});

describe('a cluster whose job was lost before it created all objects', () => {
  /** A host whose cluster `half` lacks its MachineDeployment: its runner was lost there. */
  async function halfMade(inputs: Readonly<Record<string, string>> = {}): Promise<ClusterHost> {
    let isRefusing = true;
    const host = await startClusterHost(({ method, path }) => {
      const isIt = isRefusing && method === 'POST' && path.includes('/machinedeployments');
      if (isIt) job.process?.kill('SIGKILL');
      return isIt ? 'silence' : undefined;
    });
    const job = host.job({ name: 'half', ephemeral: 'false', ...inputs });
    expect(await job.main()).toMatchObject({ signal: 'SIGKILL' });
    expect(host.store.of(Kinds.cluster)).toHaveLength(1);
    isRefusing = false;
    return host;
  }

  it('is completed by a create with the same objects, without changes to existing ones', async () => {
    const host = await halfMade();
    const before = dependents(host);
    const lost = (clusterOf(host, 'half') as KubernetesObject).metadata.annotations ?? {};
    expect(Date.parse(lost['knest-action/expires-at'] ?? '')).toBeGreaterThan(Date.now());
    const main = await created(host.job({ name: 'half', ephemeral: 'false' }, OTHER_RUN));
    expect(main.outputs['created']).toBe('false');
    expect(host.store.of(Kinds.machineDeployment)).toHaveLength(1);
    expect(dependents(host)).toEqual(expect.arrayContaining([...before]));
    const marks = (clusterOf(host, 'half') as KubernetesObject).metadata.annotations;
    // It has no expiry: the provisional one is removed once a create hands the cluster over.
    for (const mark of ['unfinished', 'unsettled', 'expires-at'])
      expect(marks).not.toHaveProperty([`knest-action/${mark}`]);
  });

  it('is not completed by a create with different objects', async () => {
    const host = await halfMade();
    const before = clusterOf(host, 'half');
    const main = await host.job({ name: 'half', ephemeral: 'false', 'kubernetes-version': '1.32.0' }, OTHER_RUN).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/it is incomplete, and this step would complete it with different objects/);
    expect(main.log).toMatch(/Next: .*command: delete/);
    expect(clusterOf(host, 'half')).toEqual(before);
    expect(host.store.of(Kinds.machineDeployment)).toEqual([]);
  });
});
