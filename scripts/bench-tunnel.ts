import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { relayName } from '../src/cluster/tunnel/relay.ts';
import { RELAY_PORT } from '../src/cluster/tunnel/relay-config.ts';
import { Program } from '../test/e2e/program.ts';
import { jobOn } from '../test/e2e/support.ts';
import type { Host } from '../test/host/host.ts';
import { relayImage } from '../test/host/images.ts';
import type { Job, StepResult } from '../test/support/runner.ts';
import { tunnelOf } from '../test/support/saved-tunnel.ts';
import { portForward } from './bench-port-forward.ts';
import { median, rowOf, type Measured, type Row } from './bench-row.ts';
import { print } from './stage.ts';

const NAMESPACE = 'bench-tunnel';
const NAME = 'streams';
const DEPLOYMENT = { namespace: NAMESPACE, deployment: relayName(NAME), port: RELAY_PORT };
const CONNECTIONS_IN_A_ROW = 20;
const CONNECTIONS_AT_ONCE = 100;
const BYTES = 256 * 2 ** 20;
/** Times that a sample of the peer is taken again when it died. */
const TRIES = 5;

/** What is measured on a connection, in the form that bench-client.ts takes. */
interface Kind {
  readonly name: string;
  readonly count: number;
}

const kinds = {
  connection: { name: 'one-by-one', count: CONNECTIONS_IN_A_ROW },
  download: { name: 'down', count: BYTES },
  upload: { name: 'up', count: BYTES },
  connections: { name: 'at-once', count: CONNECTIONS_AT_ONCE },
} as const satisfies Record<string, Kind>;

/**
 * Measures tunnels against `kubectl port-forward` to the same relay. Relay, kubelet and API server are real; behind the
 * relay is bench-target.ts, so that the nested cluster is not what is measured. Its Cluster is paused: there is none.
 */
export async function benchTunnel(host: Host, rounds: number): Promise<readonly Row[]> {
  const target = await Program.start(
    (argv) => host.command(argv),
    [process.execPath, script('bench-target.ts'), addressOf(host)],
  );
  try {
    await makeCluster(host, JSON.parse(target.first) as Target);
    const ready: number[] = [];
    for (let round = 1; round < rounds; round++) {
      const { job, result } = await openTunnel(host);
      ready.push(secondsToReady(result));
      await job.post();
      job.clean();
    }
    const { job, result } = await openTunnel(host);
    ready.push(secondsToReady(result));
    print(`ready after ${ready.map((seconds) => seconds.toFixed(2)).join(', ')} s`);
    try {
      return [tunnelReady(ready), ...(await measure(host, result, rounds))];
    } finally {
      await job.post();
      job.clean();
    }
  } finally {
    await target.stop();
    await removeCluster(host);
  }
}

function tunnelReady(ready: readonly number[]): Row {
  const goal = { of: 'ours', bound: 'most', value: 2 } as const;
  return rowOf({ name: 'tunnel-ready', engine: 'any', unit: 's', goal }, { ours: ready });
}

async function measure(host: Host, result: StepResult, rounds: number): Promise<readonly Row[]> {
  const ours = Number(new URL(result.outputs['server'] ?? '').port);
  const peer = new Peer(host);
  const { pid } = tunnelOf(result);
  const compare = async (kind: Kind, of: (seconds: number) => number): Promise<Measured> => {
    const measured = { ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const our = async (): Promise<unknown> => measured.ours.push(of(median(await sample(host, ours, kind))));
      const their = async (): Promise<unknown> => measured.peer.push(of(median(await peer.sample(kind))));
      // The first of a pair alternates too: what runs first may find a quieter machine.
      for (const one of round % 2 === 0 ? [our, their] : [their, our]) await one();
    }
    const shown = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(', ');
    print(
      `${kind.name}: the tunnel ${shown(measured.ours)}; kubectl ${shown(measured.peer)}; RSS ${memoryOf(pid).now} MiB`,
    );
    return measured;
  };
  const speed = (seconds: number): number => BYTES / 1e6 / seconds;
  const connection = await compare(kinds.connection, (seconds) => seconds * 1000);
  const download = await compare(kinds.download, speed);
  const upload = await compare(kinds.upload, speed);
  const connections = await compare(kinds.connections, (seconds) => seconds);
  const { now, most } = memoryOf(pid);
  print(`kubectl port-forward died ${peer.deaths} times`);
  const throughput = { engine: 'any', unit: 'MB/s', goal: { of: 'ratio', bound: 'least', value: 0.9 } } as const;
  return [
    rowOf(
      {
        name: 'tunnel-connection',
        engine: 'any',
        unit: 'ms',
        goal: { of: 'difference', bound: 'most', value: 50 },
        note: `median of ${CONNECTIONS_IN_A_ROW} in a row, each until its answer`,
      },
      connection,
    ),
    rowOf({ name: 'tunnel-download', ...throughput, note: `${BYTES / 2 ** 20} MiB` }, download),
    rowOf({ name: 'tunnel-upload', ...throughput, note: `${BYTES / 2 ** 20} MiB` }, upload),
    rowOf(
      {
        name: 'tunnel-connections',
        engine: 'any',
        unit: 's',
        note: `${CONNECTIONS_AT_ONCE} at once, all answered; kubectl died ${peer.deaths} times in all its samples`,
      },
      connections,
    ),
    rowOf(
      {
        name: 'tunnel-memory',
        engine: 'any',
        unit: 'MiB',
        goal: { of: 'ours', bound: 'most', value: 100 },
        note: `resident after all transfers; ${most} MiB at most`,
      },
      { ours: [now] },
    ),
  ];
}

/** `kubectl port-forward`, restarted for each sample: it ends at the first connection that is reset. */
class Peer {
  deaths = 0;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async sample(kind: Kind): Promise<readonly number[]> {
    for (let round = 1; ; round++) {
      const { program, port } = await portForward(this.#host, DEPLOYMENT);
      try {
        return await sample(this.#host, port, kind);
      } catch (thrown) {
        if (round === TRIES) throw thrown;
        print(
          `kubectl port-forward failed: ${thrown instanceof Error ? thrown.message.slice(0, 300) : String(thrown)}`,
        );
      } finally {
        if (!program.isRunning) this.deaths += 1;
        await program.stop();
      }
    }
  }
}

async function sample(host: Host, port: number, { name, count }: Kind): Promise<readonly number[]> {
  const argv = [process.execPath, script('bench-client.ts'), String(port), name, String(count)];
  return JSON.parse(await host.run(argv)) as number[];
}

/** A tunnel of a new job, to a relay that is not there yet. */
async function openTunnel(host: Host): Promise<{ readonly job: Job; readonly result: StepResult }> {
  const relay = ['-n', NAMESPACE, `deployment/${DEPLOYMENT.deployment}`];
  await host.kubectl(['delete', ...relay, '--ignore-not-found', '--cascade=foreground', '--wait']);
  const access = { 'api-access': 'tunnel', 'relay-image': relayImage };
  const job = jobOn(host, { command: 'kubeconfig', namespace: NAMESPACE, name: NAME, ...access });
  const result = await job.main();
  if (result.exitCode !== 0) throw new Error(`the tunnel did not open:\n${result.log}`);
  return { job, result };
}

/** From before the relay is created until an answer has come through the tunnel, and the kubeconfig is written. */
function secondsToReady({ outputs }: StepResult): number {
  const timings = JSON.parse(outputs['timings'] ?? '{}') as Record<string, number>;
  return timings['Kubeconfig'] ?? Number.NaN;
}

interface Target {
  readonly port: number;
  readonly authority: string;
}

async function makeCluster(host: Host, { port, authority }: Target): Promise<void> {
  const endpoint = { host: addressOf(host), port };
  const metadata = { name: NAME, namespace: NAMESPACE };
  const labels = { 'knest-action/managed': 'true', 'knest-action/server': 'github.com' };
  const reference = { apiGroup: 'infrastructure.cluster.x-k8s.io', kind: 'DevCluster', name: NAME };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': NAME,
    clusters: [
      {
        name: NAME,
        cluster: {
          server: `https://${endpoint.host}:${endpoint.port}`,
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
        },
      },
    ],
    users: [{ name: NAME, user: { token: 'bench' } }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME } }],
  };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'Cluster',
      metadata: { ...metadata, labels: { ...labels, 'knest-action/repository-id': '1296269' } },
      spec: { paused: true, controlPlaneEndpoint: endpoint, infrastructureRef: reference },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, name: `${NAME}-kubeconfig` },
      stringData: { value: JSON.stringify(kubeconfig) },
    },
  ];
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await host.kubectl(['apply', '-f', '-'], JSON.stringify(list));
}

/** Removes the Cluster with its namespace: while it is paused, nobody takes its finalizers off. */
async function removeCluster(host: Host): Promise<void> {
  const patch = ['--type=merge', '-p', JSON.stringify({ metadata: { finalizers: null } })];
  await host.kubectl(['delete', 'cluster', '-n', NAMESPACE, NAME, '--wait=false']);
  await host.kubectl(['patch', 'cluster', '-n', NAMESPACE, NAME, ...patch]);
  await host.kubectl(['delete', 'namespace', NAMESPACE]);
}

/** Memory of a process, in MiB: resident now, and at most so far. */
function memoryOf(pid: number): { readonly now: number; readonly most: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024);
  return { now: field('VmRSS'), most: field('VmHWM') };
}

/** The address of the host in its own network. */
function addressOf(host: Host): string {
  return new URL(host.mirror).hostname;
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}
