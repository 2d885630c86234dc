import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { install, kubernetesVersion } from '../test/e2e/support.ts';
import { down, up, type Host } from '../test/host/host.ts';
import { parts, versions } from '../test/host/modules.ts';
import { lineReport } from '../test/host/report.ts';
import { byAction, bySteps, type ActionTimes, type Times } from './bench-create.ts';
import { print } from './stage.ts';

const usage = 'usage: npm run bench [-- --rounds N]     N measurements of each kind, alternating; 5 if not set';
const resultsFile = join(resolve(import.meta.dirname, '..'), 'bench/results.json');

/** One comparison: medians of `n` measurements. Without a peer, there is nothing to compare with. */
interface Row {
  readonly name: string;
  readonly engine: string;
  readonly unit: 's' | 'requests';
  readonly ours: number;
  readonly peer?: number;
  readonly ratio?: number;
  readonly n: number;
}

/** A host as the action installs it, or, with the rate limits of Cluster API, as others do. */
async function hostFor(name: string, isLimited: boolean): Promise<Host> {
  const host = await up({ name, without: parts.filter((part) => part !== 'virtink') }, lineReport(print));
  if (!host.hasVirtink) throw new Error('the release assets of Virtink are not available');
  const variables = isLimited ? { 'provider-variables': 'EXP_RECONCILER_RATE_LIMITING=true' } : {};
  await install(host, { infrastructure: 'virtink', ...variables });
  return host;
}

/** Measures in turn, so that whatever else the machine does hits each kind alike. */
async function measure(rounds: number, ours: Host, theirs: Host): Promise<readonly Row[]> {
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
  const row = (name: string, our: readonly number[], their: readonly number[]): Row => {
    const [a, b] = [median(our), median(their)];
    return { name, engine: 'virtink', unit: 's', ours: a, peer: b, ratio: rounded(a / b), n: rounds };
  };
  const of = (times: readonly Times[], what: keyof Times): readonly number[] => times.map((one) => one[what]);
  return [
    row('create-warm', of(fresh, 'create'), of(peer, 'create')),
    row('create-warm-same-host', of(limited, 'create'), of(peer, 'create')),
    row('delete', of(fresh, 'remove'), of(peer, 'remove')),
    {
      name: 'requests',
      engine: 'virtink',
      unit: 'requests',
      ours: median(fresh.map(({ requests }) => requests)),
      n: rounds,
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return rounded(((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function write(rows: readonly Row[]): void {
  const machine = {
    cpus: availableParallelism(),
    model: cpus()[0]?.model ?? '',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg().map(rounded),
  };
  const used = {
    kubernetes: kubernetesVersion,
    clusterApi: versions.clusterAPI,
    virtinkProvider: versions.virtinkProvider,
  };
  const results = { date: new Date().toISOString().slice(0, 10), machine, versions: used, rows };
  mkdirSync(join(resultsFile, '..'), { recursive: true });
  writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);
}

async function bench(rounds: number): Promise<void> {
  const names = ['bench', 'bench-limited'] as const;
  try {
    const [ours, theirs] = [await hostFor(names[0], false), await hostFor(names[1], true)];
    const rows = await measure(rounds, ours, theirs);
    for (const { name, ours: a, unit, peer, ratio, n } of rows) {
      const compared = peer === undefined ? '' : `, step by step ${peer} ${unit}: ${ratio ?? 0}`;
      print(`${name.padEnd(24)} ${a} ${unit}${compared} (n = ${n})`);
    }
    write(rows);
    print(`Virtink’s controllers are stand-ins here (test/host/README.md). Written to ${resultsFile}`);
  } finally {
    for (const name of names) await down(name, lineReport(print));
  }
}

try {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: ${values.rounds} is not a positive number`);
  await bench(rounds);
} catch (thrown) {
  print(`✖ ${thrown instanceof Error ? thrown.message : String(thrown)}\n${usage}`);
  process.exitCode = 1;
}
