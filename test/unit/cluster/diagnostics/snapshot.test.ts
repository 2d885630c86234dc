import { describe, expect, it } from 'vitest';
import { collectDiagnostics } from '../../../../src/cluster/diagnostics/collect.ts';
import { takeSnapshot } from '../../../../src/cluster/diagnostics/snapshot.ts';
import { Labels } from '../../../../src/cluster/identity/identity.ts';
import { Kinds, type Kind } from '../../../../src/host/api/kinds.ts';
import { refusal } from '../../../support/api-server.ts';
import { clientOf, json } from '../../host/server.ts';
import { clientOfStore } from '../../host/store.ts';

const handle = { name: 'pr', namespace: 'knest' };
const of = ({ apiVersion, kind }: Kind, name: string, cluster = 'pr') => ({
  apiVersion,
  kind,
  metadata: { name, labels: { [Labels.clusterName]: cluster } },
});

const podOf = (name: string, namespace: string) => ({ metadata: { name, namespace } });

describe('takeSnapshot', () => {
  it('has every object of the cluster in its place, and none of another', async () => {
    const { client, store } = await clientOfStore();
    store.put(of(Kinds.cluster, 'pr'));
    const placed = [
      ['controlPlanes', Kinds.kubeadmControlPlane],
      ['machineDeployments', Kinds.machineDeployment],
      ['machines', Kinds.machine],
      ['virtualMachines', Kinds.virtualMachine],
      ['pods', Kinds.pod],
      ['resourceSets', Kinds.clusterResourceSet],
      ['dataVolumes', Kinds.dataVolume],
    ] as const;
    for (const [, kind] of placed) {
      store.put(of(kind, `pr-${kind.plural}`));
      if (kind !== Kinds.dataVolume) store.put(of(kind, `other-${kind.plural}`, 'other'));
    }
    store.put(of(Kinds.kubeadmConfig, 'pr-config'));
    store.put(of(Kinds.virtinkMachine, 'pr-machine'));
    const { view, parts, unread } = await takeSnapshot(client, handle);
    expect(view.cluster?.metadata.name).toBe('pr');
    const names = Object.fromEntries(
      placed.map(([place]) => [place, view[place].map(({ metadata }) => metadata.name)]),
    );
    expect(names).toEqual(Object.fromEntries(placed.map(([place, kind]) => [place, [`pr-${kind.plural}`]])));
    expect(parts.map(({ metadata }) => metadata.name).sort()).toEqual(['pr-config', 'pr-machine']);
    expect(unread).toEqual([]);
  });

  it('notes each reason once, with all kinds that cannot be read for it', async () => {
    const { client } = await clientOfStore(({ path }) => {
      if (/\/(pods|machines)\?/.test(path)) return refusal(403, 'Forbidden', 'not you');
      return path.endsWith('/clusters/pr') ? refusal(400, 'BadRequest', 'no') : undefined;
    });
    const { view, unread } = await takeSnapshot(client, handle);
    expect([view.cluster, view.pods, view.machines]).toEqual([undefined, [], []]);
    expect(unread.map((line) => /^cannot read [^:]*/.exec(line)?.[0]).sort()).toEqual([
      'cannot read clusters',
      'cannot read machines',
      'cannot read pods',
    ]);
  });
});

describe('collectDiagnostics', () => {
  it('shows the newest 20 of at most 200 events, and keeps all of those for the file', async () => {
    const { client, store } = await clientOfStore(({ path }) => {
      if (!path.includes('/events')) return undefined;
      const items = Array.from({ length: 250 }, (_none, number) => ({
        metadata: { name: `e-${number}` },
        involvedObject: { kind: 'Cluster', name: 'pr' },
        lastTimestamp: new Date(number * 1_000).toISOString(),
        reason: `R${number}`,
      }));
      return { status: 200, body: { items } };
    });
    store.put(of(Kinds.cluster, 'pr'));
    const findings = await collectDiagnostics(client, handle, 'brief');
    const events = findings.find(({ file }) => file === 'events.txt');
    expect(events?.lines).toHaveLength(200);
    expect(events?.lines[0]).toContain('R249');
    expect(events?.shown).toEqual(events?.lines.slice(0, 20));
  });

  it('shows the last 30 lines of a console, and the last 10 errors of a controller', async () => {
    const word = (number: number): string => 'x'.repeat(number + 1);
    const { client } = await clientOf((response, _number, { path }) => {
      const log = (line: (number: number) => string): unknown =>
        response.end(Array.from({ length: 40 }, (_none, number) => line(number)).join('\n'));
      if (path.includes('/vm-pr/log')) log((number) => `line ${number}`);
      else if (path.includes('/manager/log')) log((number) => `E1124 knest/pr ${word(number)}`);
      else if (path.endsWith('/clusters/pr')) json(response, of(Kinds.cluster, 'pr'));
      else if (path.startsWith('/api/v1/pods')) json(response, { items: [podOf('manager', 'capi-system')] });
      else if (path.includes('/namespaces/knest/pods?')) json(response, { items: [podOf('vm-pr', 'knest')] });
      else json(response, { items: [] });
    });
    const findings = await collectDiagnostics(client, handle, 'whole');
    const [console, controller] = ['console-', 'controller-'].map((start) =>
      findings.find(({ file }) => file.startsWith(start)),
    );
    expect(console?.lines).toHaveLength(40);
    expect(console?.shown).toEqual(Array.from({ length: 30 }, (_none, number) => `line ${number + 10}`));
    expect(controller?.lines).toHaveLength(40);
    expect(controller?.shown).toEqual(
      Array.from({ length: 10 }, (_none, number) => `E1124 knest/pr ${word(number + 30)}`),
    );
  });

  it('is not empty when it cannot be known whether there is a Cluster', async () => {
    const { client } = await clientOfStore(({ path }) =>
      path.endsWith('/clusters/pr') ? refusal(403, 'Forbidden', 'no') : undefined,
    );
    const findings = await collectDiagnostics(client, handle, 'brief');
    expect(findings[0]?.lines[0]).toBe('the Cluster could not be read');
  });
});
