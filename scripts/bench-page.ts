import { SUBJECTS, type AllResults, type Results, type Subject } from './bench-results.ts';
import { reachesGoal, rounded, type Goal, type Row } from './bench-row.ts';
import { table } from './markdown-table.ts';

/** What stands above the table of a subject. */
const TEXTS: Readonly<Record<Subject, { readonly title: string; readonly text: string }>> = {
  create: {
    title: 'Create and delete',
    text: 'A cluster of one control plane and one worker on Virtink, to a kubeconfig that answers. The peer is what the knest CLI does, step by step: `clusterctl generate cluster`, `kubectl apply`, `kubectl wait`. Virtink’s controllers are [stand-ins](../test/host/README.md) here, and its machines are containers. `same-host` is the action on the host of the peer, which has the rate limits of Cluster API.',
  },
  claim: {
    title: 'Claim from a pool',
    text: 'A create that claims a ready cluster of a [pool](recipes/pool.md), one control plane and one worker on Virtink, from the start of the action to a kubeconfig that answers; the jobs come one after the other. Virtink’s controllers are stand-ins here.',
  },
  tunnel: {
    title: 'Tunnel',
    text: 'A [tunnel](recipes/private-hosts.md) to a nested API server. The peer is `kubectl port-forward` to the same relay, restarted for each measurement. API server, kubelet, containerd and relay are real; a program that sends and reads as fast as it can is behind the relay. Everything runs on the same machine, so the processor limits both. On 2026-11-27, one upload of 256 MiB was profiled by process: containerd used 1.8 s of a processor for the WebSocket messages of the tunnel, which itself used 1.2 s, and 0.8 s for the streams of `kubectl`. Messages of 4, 8, 16 or 32 KiB instead of 64 were not faster.',
  },
};

/** The text of docs/benchmarks.md: the newest results of each subject. */
export function benchmarksPage(all: AllResults): string {
  const sections = SUBJECTS.flatMap((subject) => {
    const results = all[subject];
    const { title, text } = TEXTS[subject];
    return results === undefined ? [] : [`## ${title}`, text, ...sectionOf(results)];
  });
  return [
    '# Benchmarks',
    '<!-- Generated from bench/results.json by npm run docs. -->',
    '`npm run bench` measures the action and its peer in turn on one machine. All values are medians of `n` measurements, where the name does not say otherwise; the ratio is ours divided by the peer’s.',
    ...sections,
    '',
  ].join('\n\n');
}

function sectionOf({ date, machine, versions, rows }: Results): readonly string[] {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const head = ['What', 'Ours', 'Peer', 'Ratio', 'n', 'Goal', 'Notes'];
  return [
    `${date}, ${machine.cpus} × ${machine.model}, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, load ${machine.load.join(', ')} at the end; ${used.join(', ')}.`,
    table(head, rows.map(cellsOf)),
  ];
}

function cellsOf(row: Row): readonly string[] {
  const { name, unit, ours, peer, ratio, n, goal, note = '' } = row;
  const compared = peer === undefined ? ['', ''] : [`${peer} ${unit}`, String(ratio ?? '')];
  const verdict =
    goal === undefined ? '' : `${describeGoal(goal, unit)}: ${reachesGoal(row) === true ? 'met' : 'missed'}`;
  return [`\`${name}\``, `${ours} ${unit}`, ...compared, String(n), verdict, note];
}

function describeGoal({ of, bound, value }: Goal, unit: Row['unit']): string {
  const sign = bound === 'most' ? '≤' : '≥';
  if (of === 'ratio') return `ratio ${sign} ${value}`;
  return `${sign} ${of === 'difference' ? 'peer + ' : ''}${rounded(value)} ${unit}`;
}
