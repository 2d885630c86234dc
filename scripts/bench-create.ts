import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobOn, kubernetesVersion, leftovers } from '../test/e2e/support.ts';
import type { Host } from '../test/host/host.ts';
import { versions } from '../test/host/modules.ts';
import { rowOf, type Goal, type Row } from './bench-row.ts';
import { print } from './stage.ts';
import { timed } from './timed.ts';

const NAMESPACE = 'bench';
const TEMPLATE = `smartxworks/cluster-api-provider-virtink/releases/download/${versions.virtinkProvider}/cluster-template-internal.yaml`;
/** A request to the host in the log, which the runner shows in debug mode only. */
const REQUEST = /^::debug::(GET|POST|PUT|PATCH|DELETE) \//gm;
/** Seconds after which a peer gives up. */
const PATIENCE = 600;

/** Seconds that a cluster took. */
interface Times {
  /** From the start of the first program to a kubeconfig that answers. */
  readonly create: number;
  /** From the start of the deletion until the Cluster is gone; the action's ends with its own look at what is left. */
  readonly remove: number;
}

/** What the action took. */
interface ActionTimes extends Times {
  /** Requests to the host until then; those that prove that the nested API server answers go elsewhere. */
  readonly requests: number;
}

/**
 * Measures creates and deletes in turn, so that whatever else the machine does hits each kind alike. `ours` is a host as the
 * action installs it, `theirs` one with the rate limits of Cluster API, as others install it.
 */
export async function benchCreate(rounds: number, ours: Host, theirs: Host): Promise<readonly Row[]> {
  // The action makes it on its own host.
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
  await theirs.kubectl(['apply', '-f', '-'], JSON.stringify(namespace));
  const fresh: ActionTimes[] = [];
  const limited: Times[] = [];
  const peer: Times[] = [];
  for (let round = 1; round <= rounds; round++) {
    peer.push(await bySteps(theirs, `peer-${round}`));
    fresh.push(await byAction(ours, `ours-${round}`));
    limited.push(await byAction(theirs, `same-${round}`));
    const all = [peer, fresh, limited].map((times) => `${(times.at(-1)?.create ?? 0).toFixed(1)} s`);
    print(`round ${round}: step by step ${all[0]}, the action ${all[1]}, the action on the same host ${all[2]}`);
  }
  const of = (times: readonly Times[], what: keyof Times): readonly number[] => times.map((one) => one[what]);
  const row = (name: string, what: keyof Times, our: readonly Times[], goal?: Goal): Row =>
    rowOf(
      { name, engine: 'virtink', unit: 's', ...(goal !== undefined && { goal }) },
      { ours: of(our, what), peer: of(peer, what) },
    );
  return [
    row('create-warm', 'create', fresh, { of: 'ratio', bound: 'most', value: 0.58 }),
    row('create-warm-same-host', 'create', limited, { of: 'ratio', bound: 'most', value: 0.85 }),
    row('delete', 'remove', fresh),
    rowOf(
      { name: 'requests', engine: 'virtink', unit: 'requests', goal: { of: 'ours', bound: 'most', value: 20 } },
      { ours: fresh.map(({ requests }) => requests) },
    ),
  ];
}

/** Creates a cluster of 1 control plane and 1 worker on Virtink with the action, and deletes it. */
async function byAction(host: Host, name: string): Promise<ActionTimes> {
  const job = jobOn(host, { name, namespace: NAMESPACE, infrastructure: 'virtink', 'worker-machine-count': '1' });
  try {
    const main = await job.main();
    if (main.exitCode !== 0) throw new Error(`the action created no cluster:\n${main.log}`);
    await answers(host, main.outputs['kubeconfig-path'] ?? '');
    const post = await job.post();
    const left = await leftovers(host, NAMESPACE, name);
    if (left.length > 0) throw new Error(`the post step left ${left.join(', ')}:\n${post.log}`);
    return { create: main.seconds, remove: post.seconds, requests: main.log.match(REQUEST)?.length ?? 0 };
  } finally {
    job.clean();
  }
}

/** Does the same as knest does it, step by step, with the tools and the template of the releases. */
async function bySteps(host: Host, name: string): Promise<Times> {
  const directory = mkdtempSync(join(tmpdir(), 'knest-bench-'));
  const [template, kubeconfig] = [join(directory, 'template.yaml'), join(directory, 'kubeconfig')];
  try {
    await host.run(['curl', '-sSf', '-o', template, `${host.mirror}/${TEMPLATE}`]);
    const created = await timed(async () => {
      const counts = ['--control-plane-machine-count', '1', '--worker-machine-count', '1'];
      const options = ['--from', template, '-n', NAMESPACE, '--kubernetes-version', kubernetesVersion, ...counts];
      const manifest = await clusterctl(host, ['generate', 'cluster', name, ...options]);
      await host.kubectl(['apply', '-f', '-'], manifest);
      const condition = ['--for=condition=ControlPlaneInitialized', `--timeout=${PATIENCE}s`];
      await host.run(['kubectl', 'wait', ...condition, '-n', NAMESPACE, `cluster/${name}`], {
        timeout: PATIENCE * 1000,
      });
      writeFileSync(kubeconfig, await clusterctl(host, ['get', 'kubeconfig', name, '-n', NAMESPACE]), { mode: 0o600 });
      await answers(host, kubeconfig);
    });
    const removed = await timed(() =>
      host.run(['kubectl', 'delete', 'cluster', '-n', NAMESPACE, name], { timeout: PATIENCE * 1000 }),
    );
    return { create: created, remove: removed };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function clusterctl(host: Host, args: readonly string[]): Promise<string> {
  const machines = ['CONTROL_PLANE', 'WORKER'].flatMap((role) => [
    `VIRTINK_${role}_MACHINE_CPU_CORES=1`,
    `VIRTINK_${role}_MACHINE_MEMORY_SIZE=1Gi`,
  ]);
  return host.run(['env', 'CLUSTERCTL_DISABLE_VERSIONCHECK=true', ...machines, 'clusterctl', ...args]);
}

/** Proves that a kubeconfig answers: with the same request for both, outside of the action's own proof. */
async function answers(host: Host, kubeconfig: string): Promise<void> {
  await host.run(['kubectl', '--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']);
}
