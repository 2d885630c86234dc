import type { ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectDiagnostics } from '../../../../src/cluster/diagnostics/collect.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { configFor, json, refuse, serve } from '../../host/server.ts';
import { clusterOf, machineOf, podOf, virtualMachineOf } from '../samples.ts';

const handle = { name: 'pr', namespace: 'knest' };

type Answer = (response: ServerResponse, path: string) => void;

const items =
  (...objects: readonly object[]): Answer =>
  (response) =>
    json(response, { items: objects });
const text =
  (body: string): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
const event = (name: string, message: string): object => ({
  metadata: { name: 'e' },
  involvedObject: { kind: 'Machine', name },
  reason: 'Failed',
  message,
});

/** A host with a cluster of one machine. `others` replaces the answers for some paths. */
function answers(others: Readonly<Record<string, Answer>> = {}): Readonly<Record<string, Answer>> {
  return {
    '/clusters/pr': (response) => json(response, clusterOf()),
    '/namespaces/knest/machines': items(machineOf('pr-cp-x')),
    '/namespaces/knest/virtualmachines': items(virtualMachineOf('pr-cp-x')),
    '/namespaces/knest/pods': items(podOf('pr-cp-x', { phase: 'Running' })),
    '/namespaces/knest/events': items(event('pr-cp-x', 'first'), event('pr-cp-x2', 'another’s')),
    '/api/v1/pods': items({
      metadata: { name: 'capi-manager', namespace: 'capi-system' },
      spec: { containers: [{ name: 'kube-rbac-proxy' }, { name: 'manager' }] },
    }),
    '/pods/vm-pr-cp-x/log': text('booting\r\njoin --token abcdef.0123456789abcdef\n\u001b[31mpanic\u001b[0m\n'),
    '/pods/capi-manager/log': text('I1 knest/pr fine\nE1124 knest/pr broken\nE1124 knest/pr2 another’s\n'),
    ...others,
  };
}

async function collect(
  given: Readonly<Record<string, Answer>>,
  thoroughness: 'brief' | 'whole' = 'whole',
  signal: AbortSignal = AbortSignal.timeout(20_000),
) {
  const { url, received } = await serve((response, _number, { path }) => {
    const [collection = ''] = path.split('?');
    const key = Object.keys(given).find((end) => collection.endsWith(end));
    if (key === undefined) refuse(response, 404);
    else given[key]?.(response, path);
  });
  const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
  const findings = await collectDiagnostics(client, handle, thoroughness);
  return { findings, received, lines: new Map(findings.map(({ file, lines }) => [file, lines])) };
}

describe('the diagnostics of a cluster', () => {
  it('are its conditions, events and consoles, and the log lines of controllers about it', async () => {
    const { findings, lines } = await collect(answers());
    expect(lines.get('conditions.txt')).toEqual([
      'Cluster pr',
      '  Machine pr-cp-x',
      '    VirtualMachine pr-cp-x',
      '      Pod vm-pr-cp-x (Running)',
    ]);
    expect(lines.get('events.txt')).toEqual(['Event  Machine pr-cp-x: Failed: first']);
    expect(lines.get('console-vm-pr-cp-x.log')).toEqual(['booting', 'join --token ***', 'panic']);
    expect(lines.get('controller-capi-manager.log')).toEqual(['I1 knest/pr fine', 'E1124 knest/pr broken']);
    expect(findings.at(-1)?.shown).toEqual(['E1124 knest/pr broken']);
  });

  it('stay in their directory, each in a separate file, whatever the names of the pods are', async () => {
    const pod = podOf('pr-cp-x', { phase: 'Running' });
    const named = (name: string): object => ({ ...pod, metadata: { ...pod.metadata, name } });
    const controller = (namespace: string): object => ({ metadata: { name: 'manager', namespace } });
    const { findings } = await collect(
      answers({
        '/namespaces/knest/pods': items(named('../../../escape'), named('..\\..\\escape')),
        '/api/v1/pods': items(controller('a-system'), controller('b-system')),
        '/log': text('E1 knest/pr broken'),
      }),
    );
    const files = findings.map(({ file }) => file);
    expect(files.filter((file) => file !== basename(file) || file.includes('\\'))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['controller-manager.log', 'controller-manager-2.log']));
    expect(new Set(files).size).toBe(files.length);
    expect(files.filter((file) => file.startsWith('console-'))).toHaveLength(2);
  });

  it('read no Secret', async () => {
    const { received } = await collect(answers());
    expect(received.map(({ path }) => path)).toContainEqual(expect.stringMatching(/\/log\?.*container=manager/));
    expect(received.length).toBeGreaterThan(10);
    expect(received.filter(({ method, path }) => method !== 'GET' || path.includes('/secrets'))).toEqual([]);
  });

  it('are only the conditions and events when they must be brief', async () => {
    const { findings } = await collect(answers(), 'brief');
    expect(findings.map(({ file }) => file)).toEqual(['conditions.txt', 'events.txt']);
  });

  it('name what is forbidden, and contain the rest', async () => {
    const forbid: Answer = (response) => refuse(response, 403);
    const { lines } = await collect(
      answers({
        '/namespaces/knest/kubeadmcontrolplanes': forbid,
        '/namespaces/knest/events': forbid,
        '/api/v1/pods': forbid,
        '/pods/vm-pr-cp-x/log': forbid,
      }),
    );
    expect(lines.get('conditions.txt')?.at(-1)).toMatch(/^cannot read kubeadmcontrolplanes: .* 403 /);
    expect(lines.get('events.txt')).toEqual([expect.stringMatching(/^cannot read this: .* 403 /)]);
    expect(lines.get('console-vm-pr-cp-x.log')).toEqual([expect.stringMatching(/^cannot read this: .* 403 /)]);
    expect(lines.get('controller-provider.log')).toEqual([expect.stringMatching(/^cannot read this: .* 403 /)]);
  });

  it('end at their timeout, with everything that arrived before it', async () => {
    const silence: Answer = () => undefined;
    const given = answers({ '/namespaces/knest/events': silence, '/pods/capi-manager/log': silence });
    const began = performance.now();
    const { lines } = await collect(given, 'whole', AbortSignal.timeout(1_000));
    // Without the signal a request would wait for 30 s.
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(lines.get('console-vm-pr-cp-x.log')).toContain('panic');
    expect(lines.get('events.txt')).toEqual([expect.stringMatching(/^cannot read this: .*timeout/)]);
    expect(lines.get('controller-capi-manager.log')).toEqual([expect.stringMatching(/^cannot read this: .*timeout/)]);
  });

  it('are empty without a cluster', async () => {
    const { findings } = await collect({});
    expect(findings).toEqual([]);
  });
});
