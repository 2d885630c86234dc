import { parseArgs } from 'node:util';
import { install } from '../test/e2e/support.ts';
import { down, up, type Host } from '../test/host/host.ts';
import { parts } from '../test/host/modules.ts';
import { lineReport } from '../test/host/report.ts';
import { benchClaim } from './bench-claim.ts';
import { benchCreate } from './bench-create.ts';
import { resultsFile, SUBJECTS, writeResults, type Subject } from './bench-results.ts';
import { reachesGoal, type Row } from './bench-row.ts';
import { benchTunnel } from './bench-tunnel.ts';
import { print } from './stage.ts';

const usage = `usage: npm run bench [-- --only ${SUBJECTS.join('|')}] [--rounds N]
  --only    measures one subject; all of them if not set
  --rounds  measurements of each kind, alternating; 5 if not set`;

/** A host of the benchmark: any other on the machine is left alone. */
async function makeHost(name: string): Promise<Host> {
  const without = parts.filter((part) => part !== 'virtink' && part !== 'in-memory');
  return up({ name, without }, lineReport(print));
}

/** What is measured, and on which hosts. */
const subjects: Readonly<Record<Subject, (rounds: number, hosts: Hosts) => Promise<readonly Row[]>>> = {
  create: async (rounds, hosts) => {
    const [ours, theirs] = [await hosts.get('bench'), await hosts.get('bench-limited')];
    if (!ours.hasVirtink) throw new Error('the release assets of Virtink are not available');
    await install(ours, { infrastructure: 'virtink' });
    await install(theirs, {
      infrastructure: 'virtink',
      'provider-variables': 'EXP_RECONCILER_RATE_LIMITING=true',
    });
    return benchCreate(rounds, ours, theirs);
  },
  claim: async (rounds, hosts) => {
    const host = await hosts.get('bench');
    if (!host.hasVirtink) throw new Error('the release assets of Virtink are not available');
    await install(host, { infrastructure: 'virtink' });
    return benchClaim(rounds, host);
  },
  tunnel: async (rounds, hosts) => {
    const host = await hosts.get('bench');
    await install(host);
    return benchTunnel(host, rounds);
  },
};

/** The hosts that were needed so far. */
class Hosts {
  readonly #hosts = new Map<string, Host>();

  async get(name: string): Promise<Host> {
    const host = this.#hosts.get(name) ?? (await makeHost(name));
    this.#hosts.set(name, host);
    return host;
  }

  async remove(): Promise<void> {
    for (const name of this.#hosts.keys()) await down(name, lineReport(print));
  }
}

function show(row: Row): void {
  const { name, ours, unit, peer, ratio, n } = row;
  const compared = peer === undefined ? '' : `, the peer ${peer} ${unit}: ${ratio ?? 0}`;
  const isReached = reachesGoal(row);
  const verdict = isReached === undefined ? '' : isReached ? ', goal reached' : ', goal missed';
  print(`${name.padEnd(24)} ${ours} ${unit}${compared} (n = ${n})${verdict}`);
}

async function bench(wanted: readonly Subject[], rounds: number): Promise<void> {
  const hosts = new Hosts();
  try {
    for (const subject of wanted) {
      const rows = await subjects[subject](rounds, hosts);
      rows.forEach(show);
      writeResults(subject, rows);
    }
    print(`written to ${resultsFile}; npm run docs makes docs/benchmarks.md of it`);
  } finally {
    await hosts.remove();
  }
}

try {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: ${values.rounds} is not a positive number`);
  const wanted = SUBJECTS.filter((subject) => values.only === undefined || values.only === subject);
  if (wanted.length === 0) throw new Error(`--only: ${values.only ?? ''} is not one of ${SUBJECTS.join(', ')}`);
  await bench(wanted, rounds);
} catch (thrown) {
  print(`✖ ${thrown instanceof Error ? thrown.message : String(thrown)}\n${usage}`);
  process.exitCode = 1;
}
