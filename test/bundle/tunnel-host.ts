import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { connectPlain } from '../../src/host/connect.ts';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { KubernetesObject, Metadata } from '../../src/host/api/objects.ts';
import type { ApiServer, Received } from '../support/api-server.ts';
import { dialLocal, type Kubelet, type KubeletBehaviour } from '../support/kubelet.ts';
import { ObjectStore } from '../support/object-store.ts';
import type { Job, StepOptions, StepResult } from '../support/runner.ts';
import { makeJob, startServer } from './support.ts';

/** What the job cannot reach itself. The name in the certificate of the nested API server is that of its endpoint. */
const ENDPOINT = { host: '127.0.0.1', port: 1 };
const OWNED = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '1296269',
};

/** A host with a cluster. */
export interface Host {
  readonly server: ApiServer;
  readonly store: ObjectStore;
  readonly kubelet: Kubelet;
  readonly nested: ApiServer;
  job(inputs?: StepOptions['inputs'], env?: StepOptions['env']): Job;
}

/** A host with a cluster whose API server is reached through the relay alone. `allows` answers reviews of permissions. */
export async function startHost(
  behaviour: KubeletBehaviour = {},
  allows: (review: string) => boolean = () => true,
): Promise<Host> {
  const store = new ObjectStore();
  const nested = await startServer({ answer: () => ({ status: 200, body: 'ok' }) });
  const metadata = { name: 'demo', labels: OWNED };
  store.put({
    apiVersion: Kinds.cluster.apiVersion,
    kind: 'Cluster',
    metadata: { ...metadata, uid: 'u-1' },
    spec: { controlPlaneEndpoint: ENDPOINT },
  } as KubernetesObject);
  const kubeconfig = nested.kubeconfig().replace(nested.url, `https://${ENDPOINT.host}:${ENDPOINT.port}`);
  const data = { value: Buffer.from(kubeconfig).toString('base64') };
  store.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'demo-kubeconfig' }, data } as KubernetesObject);
  putRelayPod(store, 'demo-relay-1');
  const answer = ({ method, path, body }: Received) => {
    if (path.endsWith('/selfsubjectaccessreviews')) {
      const { spec } = body as { spec: { resourceAttributes: Record<string, string> } };
      const { verb, resource, subresource = '' } = spec.resourceAttributes;
      return { status: 201, body: { status: { allowed: allows(`${verb} ${resource}/${subresource}`) } } };
    }
    return method === 'GET' && path === '/apis' ? undefined : store.answer({ method, path, body });
  };
  const server = await startServer({ answer });
  const kubelet = server.forwardPorts(dialLocal(Number(new URL(nested.url).port)), behaviour);
  const common = {
    command: 'kubeconfig',
    name: 'demo',
    'api-access': 'tunnel',
    'host-kubeconfig': server.kubeconfig(),
  };
  return { server, store, kubelet, nested, job: (inputs = {}, env = {}) => makeJob({ ...common, ...inputs }, { env }) };
}

function putRelayPod(store: ObjectStore, name: string): void {
  putPod(store, { name, labels: { 'knest-action/relay': 'true', 'knest-action/cluster-uid': 'u-1' } });
}

/** Puts a pod on a host that is ready. */
export function putPod(store: ObjectStore, metadata: Metadata): void {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  store.put({ apiVersion: 'v1', kind: 'Pod', metadata, status } as KubernetesObject);
}

/** What the nested API server answers to a client with the kubeconfig of the job. */
export async function readyz({ outputs }: StepResult): Promise<string> {
  const text = readFileSync(outputs['kubeconfig-path'] ?? '', 'utf8');
  const { rest } = connectPlain(text, AbortSignal.timeout(20_000));
  return rest.text({ method: 'GET', path: '/readyz', retries: 0 });
}

/** What main leaves of a job that succeeds. */
export async function started(job: Job): Promise<StepResult> {
  const main = await job.main();
  expect(main.exitCode, main.log).toBe(0);
  return main;
}
