import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { engineOf } from '../../../../src/cluster/engines/engines.ts';
import { followUntilProved } from '../../../../src/commands/create/proof.ts';
import type { JobTunnel } from '../../../../src/commands/steps/open-tunnel.ts';
import { KnestError } from '../../../../src/errors.ts';
import type { Secret } from '../../../../src/host/api/objects.ts';
import type { ChosenInputs } from '../../../../src/inputs.ts';
import type { Runtime } from '../../../../src/runtime.ts';
import { clusterOf, condition } from '../../cluster/samples.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { clientOfStore } from '../../host/store.ts';

const certificate = makeCertificate();
const NOWHERE = 'https://127.0.0.1:1';
const handle = { name: 'pr', namespace: 'knest' };
const initialised = condition('ControlPlaneInitialized', 'True');
const noTunnel = { open: async () => Promise.reject(new Error('no tunnel')) } as unknown as JobTunnel;

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A host whose cluster has its API server at that address. */
async function hostOf(server: string, conditions: readonly ReturnType<typeof condition>[] = []) {
  const { client, store } = await clientOfStore();
  const { hostname: host, port } = new URL(server);
  const cluster = clusterOf({
    spec: {
      infrastructureRef: { kind: 'VirtinkCluster', name: 'pr' },
      controlPlaneEndpoint: { host, port: Number(port) },
    },
    status: { conditions },
  });
  store.put(cluster);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'pr', cluster: { server, 'certificate-authority-data': base64(certificate.cert) } }],
    users: [{ name: 'admin', user: { token: 'nested-token' } }],
    contexts: [{ name: 'pr', context: { cluster: 'pr', user: 'admin' } }],
    'current-context': 'pr',
  };
  const metadata = { name: 'pr-kubeconfig', namespace: 'knest' };
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    data: { value: base64(JSON.stringify(kubeconfig)) },
  };
  store.put(secret);
  return { client, cluster };
}

/** Follows the cluster of a host until its control plane is there. Returns the way to it or the failure, and what was masked. */
async function run(
  server: string,
  conditions?: readonly ReturnType<typeof condition>[],
  ended = new AbortController(),
) {
  const { client, cluster } = await hostOf(server, conditions);
  const masked: string[] = [];
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(10_000)]);
  const runtime = {
    env: {},
    secrets: { mask: (secret: string) => masked.push(secret) },
    clock: { signal },
  } as unknown as Runtime;
  const goal = { engine: engineOf(cluster), persistent: false, verb: 'start', timeoutSeconds: 10 };
  const inputs = { apiAccess: 'cluster-ip' } as ChosenInputs;
  const step = { line: () => undefined };
  const result = await followUntilProved(client, handle, goal, inputs, noTunnel, step, runtime).catch(
    (thrown: unknown) => thrown,
  );
  return { result, masked };
}

describe('followUntilProved', () => {
  it('ends when the API server proves itself, although Cluster API has not seen it, and masks its secrets before', async () => {
    const nested = createServer(certificate, (_request, response) => response.end('{}'));
    nested.listen(0, '127.0.0.1');
    await once(nested, 'listening');
    onTestFinished(() => {
      nested.closeAllConnections();
      nested.close();
    });
    const server = `https://127.0.0.1:${(nested.address() as AddressInfo).port}`;
    const { result, masked } = await run(server);
    expect(result).toMatchObject({ route: { kind: 'cluster-ip', server } });
    expect(masked).toContain('nested-token');
  });

  it('ends when Cluster API sees it, although this job does not reach it', async () => {
    expect((await run(NOWHERE, [initialised])).result).toBeUndefined();
  });

  it('explains at the end of the time what was missing', async () => {
    const ended = new AbortController();
    setTimeout(() => ended.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'the time is up' })), 500);
    expect((await run(NOWHERE, [], ended)).result).toMatchObject({
      code: 'KNEST_TIMEOUT',
      problem: 'pr is not ready after 10s',
    });
  });
});
