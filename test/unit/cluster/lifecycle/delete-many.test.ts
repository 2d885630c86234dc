import { describe, expect, it } from 'vitest';
import { waitForDepartures } from '../../../../src/cluster/lifecycle/delete-many.ts';
import { Labels } from '../../../../src/cluster/identity/identity.ts';
import { remainsOf } from '../../../../src/cluster/lifecycle/delete.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { configFor, json, refuse, serve } from '../../host/server.ts';

const one = { name: 'one', namespace: 'knest', uid: 'u-1' };
const two = { name: 'two', namespace: 'knest', uid: 'u-2' };

/**
 * Waits on a host with these objects and no others, until all clusters are gone, or as many as expected, or the host
 * has shown everything.
 */
async function wait(
  objects: Readonly<Record<string, readonly object[]>>,
  { forbidden = [], going = 2 }: { forbidden?: readonly string[]; going?: number } = {},
) {
  const asked: URL[] = [];
  const shown = new AbortController();
  const watches = () => asked.filter(({ searchParams }) => searchParams.has('watch')).length;
  const { url } = await serve((response, _number, { path }) => {
    const request = new URL(path, 'http://host');
    asked.push(request);
    const [plural = '', name] = request.pathname.replace(/.*\/namespaces\/knest\//, '').split('/');
    if (forbidden.includes(plural)) refuse(response, 403);
    else if (name !== undefined) {
      const object = objects[plural]?.find((one) => (one as ReturnType<typeof of>).metadata.name === name);
      if (object === undefined) refuse(response, 404);
      else json(response, object);
    } else if (request.searchParams.has('watch')) response.writeHead(200).flushHeaders();
    else json(response, { items: objects[plural] ?? [], metadata: { resourceVersion: '1' } });
    // A watch follows its list: once all are open, everything was seen. Secrets are read by name until they are gone.
    const rounds = asked.filter(({ pathname }) => pathname.endsWith('-kubeconfig')).length;
    if (watches() === remainsOf('knest', [], () => true).length && rounds >= 5) shown.abort();
  });
  const { signal } = shown;
  const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
  const gone: string[] = [];
  const onGone = ({ name }: { name: string }): void => {
    if (gone.push(name) === going) shown.abort();
  };
  const departures = await waitForDepartures(client, 'knest', [one, two], onGone, signal);
  return { ...departures, gone, asked };
}

const of = (name: string, cluster: string, finalizers: readonly string[] = []) => ({
  metadata: { name, namespace: 'knest', labels: { [Labels.clusterName]: cluster }, finalizers },
});
const clusterOf = (name: string, uid: string) => ({
  metadata: { name, namespace: 'knest', uid, finalizers: ['held'] },
});

// Secrets are read once a second.
describe('waitForDepartures', { timeout: 20_000 }, () => {
  it('lists each kind once, for those clusters only, however many there are', async () => {
    const { left, gone, asked } = await wait({});
    expect(left.size).toBe(0);
    expect(gone).toEqual(['one', 'two']);
    const lists = asked.filter(
      ({ pathname, searchParams }) => !searchParams.has('watch') && !pathname.includes('/secrets/'),
    );
    expect(new Set(lists.map(({ pathname }) => pathname)).size).toBe(lists.length);
    const machines = lists.find(({ pathname }) => pathname.endsWith('/machines'));
    expect(machines?.searchParams.get('labelSelector')).toBe('cluster.x-k8s.io/cluster-name in (one,two)');
  });

  it('reports what is left at the timeout, with its finalizers', async () => {
    const objects = { clusters: [clusterOf('one', 'u-1')], machines: [of('m', 'one')] };
    const { left, gone } = await wait(objects, { going: 1 });
    expect(gone).toEqual(['two']);
    expect([...left]).toEqual([[one, ['Cluster one waits for held']]]);
  });

  it('waits for objects that the Cluster leaves behind', async () => {
    const { left } = await wait({ machines: [of('m', 'two', ['machine'])], secrets: [of('two-ca', 'two')] });
    expect([...left]).toEqual([[two, ['Machine m waits for machine', 'Secret two-ca']]]);
  });

  it('reads Secrets by name, including those that machines and ClusterResourceSets name, and lists none', async () => {
    const machine = { ...of('m', 'one'), spec: { bootstrap: { dataSecretName: 'm-bootstrap' } } };
    const resources = ['cni', 'cni-2'].map((name) => ({ kind: 'Secret', name: `two-${name}` }));
    const sets = [{ ...of('two-cni', 'two'), spec: { resources: [...resources, { kind: 'ConfigMap', name: 'x' }] } }];
    // Other kinds use fields with the same names for something else.
    const vm = { ...of('m', 'one'), spec: { bootstrap: { dataSecretName: 'x' }, resources: { limits: {} } } };
    const { asked } = await wait({ machines: [machine], clusterresourcesets: sets, virtualmachines: [vm] });
    const paths = asked.map(({ pathname }) => pathname).filter((path) => path.includes('/secrets'));
    const purposes = ['addons', 'ca', 'cni', 'etcd', 'kubeconfig', 'proxy', 'registry', 'sa', 'ssh-keys'];
    const names = ['one', 'two'].flatMap((cluster) => purposes.map((purpose) => `${cluster}-${purpose}`));
    expect([...new Set(paths)].sort()).toEqual(
      [...names, 'm-bootstrap', 'm-bootstrap-userdata', 'two-cni-2']
        .map((name) => `/api/v1/namespaces/knest/secrets/${name}`)
        .sort(),
    );
  });

  it('stops reading the Secrets of a cluster that is gone', async () => {
    const { asked, gone } = await wait({ secrets: [of('two-ca', 'two')] });
    expect(gone).toEqual(['one']);
    const timesOf = (name: string) => asked.filter(({ pathname }) => pathname.endsWith(`/secrets/${name}`)).length;
    // Once more after everything else was gone.
    expect(timesOf('one-kubeconfig')).toBe(2);
    expect(timesOf('two-kubeconfig')).toBeGreaterThan(2);
  });

  it('does not wait for a Secret with such a name that is not of the cluster', async () => {
    const foreign = { metadata: { name: 'one-ca', namespace: 'knest', labels: { app: 'vault' } } };
    const { left, gone } = await wait({ secrets: [foreign, of('two-ca', 'two')] });
    expect(gone).toEqual(['one']);
    expect([...left]).toEqual([[two, ['Secret two-ca']]]);
  });

  it('names the kinds that it may not list', async () => {
    const { gone, unverified } = await wait({}, { forbidden: ['pods', 'secrets'] });
    expect(gone).toEqual(['one', 'two']);
    expect([...unverified].sort()).toEqual(['pods', 'secrets']);
  });

  it('selects only disks with the label of the action: anybody can label a disk with the name of a cluster', async () => {
    const { asked } = await wait({});
    const selectors = ['datavolumes', 'persistentvolumeclaims'].map((plural) =>
      asked.find(({ pathname }) => pathname.endsWith(`/${plural}`))?.searchParams.get('labelSelector'),
    );
    expect(new Set(selectors)).toEqual(
      new Set(['cluster.x-k8s.io/cluster-name in (one,two),knest-action/managed=true']),
    );
  });

  it('rejects when it may not list Clusters, since it could not know when one is gone', async () => {
    await expect(wait({}, { forbidden: ['clusters'] })).rejects.toMatchObject({ code: 'KNEST_PERMISSION' });
  });

  it('does not wait for another cluster that has taken the name', async () => {
    const { left } = await wait({ clusters: [clusterOf('one', 'u-9')], machines: [of('m', 'one')] });
    expect(left.size).toBe(0);
  });
});
