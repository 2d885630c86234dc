import { expect } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { Cluster } from '../../src/host/api/cluster-api-objects.ts';
import type { Answer, ApiServer, Received } from '../support/api-server.ts';
import { refusal } from '../support/api-server.ts';
import { ObjectStore } from '../support/object-store.ts';
import type { Job, StepOptions, StepResult } from '../support/runner.ts';
import { makeJob, startMirror, startServer, type MirrorInputs } from './support.ts';

/** The groups of everything that clusters of in-memory machines need: the host counts as complete. */
/** What Cluster API with the in-memory provider defines, and cert-manager. */
export const CLUSTER_API = [
  'certificates.cert-manager.io',
  'clusters.cluster.x-k8s.io',
  'kubeadmconfigs.bootstrap.cluster.x-k8s.io',
  'kubeadmcontrolplanes.controlplane.cluster.x-k8s.io',
  'clusterresourcesets.addons.cluster.x-k8s.io',
  'devclusters.infrastructure.cluster.x-k8s.io',
];

/**
 * Stands in for clusterctl: fills in the variables of the template that it is given. Its `init` never ends, and leaves its
 * process ID in the file clusterctl-runs.
 */
export const CLUSTERCTL = `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
if (args[0] === 'init') {
  writeFileSync(process.env.XDG_CONFIG_HOME + '/clusterctl-runs', process.pid + '\\n');
  setInterval(() => undefined, 60_000);
} else {
  const text = readFileSync(args[args.indexOf('--from') + 1], 'utf8');
  process.stdout.write(text.replace(/\\$\\{(\\w+)[^}]*\\}/g, (_, name) => process.env[name] ?? ''));
}
`;

/** A mirror with what planning a cluster takes, and nothing to install, until `cleanUp`. */
export async function startPlanningMirror(): Promise<MirrorInputs> {
  return startMirror((path) => (path.includes('/clusterctl-') ? CLUSTERCTL : undefined));
}

/** A host on which clusters can be created as far as their objects go: no controller does anything with them. */
export interface ClusterHost {
  readonly server: ApiServer;
  readonly store: ObjectStore;
  /** Makes a job that runs the action on it. */
  job(inputs?: StepOptions['inputs'], env?: StepOptions['env']): Job;
}

/** Starts such a host, until `cleanUp`. `answer`: answers instead, undefined for what it would answer otherwise. */
export async function startClusterHost(answer?: (request: Received) => Answer | undefined): Promise<ClusterHost> {
  const store = new ObjectStore();
  const server = await startServer({
    isAdministrator: true,
    answer: (request) => answer?.(request) ?? answerTo(request) ?? store.answer(request),
  });
  const mirror = await startPlanningMirror();
  const common = {
    infrastructure: 'in-memory',
    'wait-for': 'none',
    'host-kubeconfig': server.kubeconfig(),
    ...mirror,
  };
  return { server, store, job: (inputs = {}, env = {}) => makeJob({ ...common, ...inputs }, { env }) };
}

function answerTo({ method, path }: Received): Answer | undefined {
  if (method !== 'GET') return undefined;
  const discovered = discoveryAnswer(path, CLUSTER_API);
  if (discovered !== undefined) return discovered;
  // Nobody may look at what is installed: it is used as it is.
  if (path.startsWith('/apis/apps/v1/daemonsets')) return refusal(403, 'Forbidden', 'not allowed');
  return undefined;
}

/** What a host with these CustomResourceDefinitions, each in one version, answers to discovery. */
export function discoveryAnswer(path: string, definitions: readonly string[]): Answer | undefined {
  const [, group, version] = /^\/apis(?:\/([^/]+)(\/v1)?)?$/.exec(path) ?? [];
  const ok = (body: object): Answer => ({ status: 200, body });
  const groupOf = (definition: string): string => definition.replace(/^[^.]*\./, '');
  if (path === '/apis') return ok({ groups: definitions.map((name) => ({ name: groupOf(name) })) });
  const names = definitions.filter((name) => groupOf(name) === group).map((name) => name.replace(/\..*/, ''));
  if (names.length === 0) return undefined;
  if (version === undefined) return ok({ versions: [{ groupVersion: `${group}/v1` }] });
  return ok({ resources: names.map((name) => ({ name, kind: name, namespaced: true })) });
}

/** The Cluster of that name on a host. */
export function clusterOf({ store }: ClusterHost, name: string): Cluster | undefined {
  return store.find(Kinds.cluster, name);
}

/** Runs main, which has to succeed. */
export async function created(job: Job): Promise<StepResult> {
  const main = await job.main();
  expect(main.exitCode, main.log).toBe(0);
  return main;
}
