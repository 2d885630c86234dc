import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { engineOf } from '../../../../src/cluster/engines/engines.ts';
import { isInitialised } from '../../../../src/cluster/status/cluster-view.ts';
import { followWithProof } from '../../../../src/commands/create/proof.ts';
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

interface Case {
  readonly conditions?: readonly ReturnType<typeof condition>[];
  readonly signal?: AbortSignal;
  /** Whether the goal is reached, after these lines; by default the control plane alone, for which a proof is enough. */
  readonly isReached?: (lines: readonly string[]) => boolean;
}

/** Follows the cluster of a host. Returns the way to it or the failure, what was masked, and the lines of the log. */
async function run(server: string, { conditions = [], signal, isReached }: Case = {}) {
  const { client, cluster } = await hostOf(server, conditions);
  const masked: string[] = [];
  const lines: string[] = [];
  const runtime = {
    env: {},
    secrets: { mask: (secret: string) => masked.push(secret) },
    clock: { signal: AbortSignal.any([signal ?? AbortSignal.timeout(10_000), AbortSignal.timeout(10_000)]) },
  } as unknown as Runtime;
  const goal = {
    ...{ engine: engineOf(cluster), persistent: false, verb: 'start', timeoutSeconds: 10 },
    isReached: isReached === undefined ? isInitialised : () => isReached(lines),
    endsWithProof: isReached === undefined,
  };
  const inputs = { apiAccess: 'cluster-ip' } as ChosenInputs;
  const step = { line: (text: string) => lines.push(text) };
  const result = await followWithProof(client, handle, goal, inputs, noTunnel, step, runtime).catch(
    (thrown: unknown) => thrown,
  );
  return { result, masked, lines };
}

/** Starts an API server that answers everything. Returns its address. */
async function startNested(): Promise<string> {
  const nested = createServer(certificate, (_request, response) => response.end('{}'));
  nested.listen(0, '127.0.0.1');
  await once(nested, 'listening');
  onTestFinished(() => {
    nested.closeAllConnections();
    nested.close();
  });
  return `https://127.0.0.1:${(nested.address() as AddressInfo).port}`;
}

describe('followWithProof', () => {
  it('ends when the API server proves itself, although Cluster API has not seen it, and masks its secrets before', async () => {
    const server = await startNested();
    const { result, masked } = await run(server);
    expect(result).toMatchObject({ route: { kind: 'cluster-ip', server } });
    expect(masked).toContain('nested-token');
  });

  it('knows the way when the goal is reached, where a proof is not enough', async () => {
    const server = await startNested();
    const proof = 'control plane: answers by cluster-ip';
    let looks = 0;
    const isReached = (before: readonly string[]): boolean => before.includes(proof) && ++looks === 2;
    const { result, lines } = await run(server, { isReached });
    expect([looks, lines]).toEqual([2, expect.arrayContaining([proof])]);
    expect(result).toMatchObject({ route: { kind: 'cluster-ip', server } });
  });

  it('ends when Cluster API sees it, although this job does not reach it', async () => {
    expect((await run(NOWHERE, { conditions: [initialised] })).result).toBeUndefined();
  });

  it('explains at the end of the time what was missing', async () => {
    const ended = new AbortController();
    setTimeout(() => ended.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'the time is up' })), 500);
    expect((await run(NOWHERE, { signal: ended.signal })).result).toMatchObject({
      code: 'KNEST_TIMEOUT',
      problem: 'pr is not ready after 10s',
    });
  });
});
