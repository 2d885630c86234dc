import { appendFile, stat } from 'node:fs/promises';
import type { KnestError } from '../errors.ts';
import { keptLines, type KeptCluster } from './kept-cluster.ts';
import { escape, fenced, markdownTable } from './markdown.ts';
import type { Phase, Timeline } from './timeline.ts';

/** The page that GitHub shows under a run. */
export interface Summary {
  /** Adds Markdown to the page. Resolves even when the page cannot be written. */
  add(markdown: string): Promise<void>;
}

/** GitHub shows nothing of a step whose page is larger than 1 MiB; the rest is for what GitHub adds. */
const LIMIT = 1000 * 1024;

/** The summary of a GitHub job; does nothing where the runner offers none. */
export function githubSummary(env: NodeJS.ProcessEnv): Summary {
  return {
    async add(markdown) {
      const file = env['GITHUB_STEP_SUMMARY'];
      if (file === undefined) return;
      const size = await stat(file).then(
        (status) => status.size,
        () => 0,
      );
      const room = LIMIT - size;
      const [page] = [`${markdown}\n`, TOO_LONG].filter((text) => Buffer.byteLength(text) <= room);
      if (page === undefined) return;
      await appendFile(file, page).catch(() => undefined);
    },
  };
}

/** Replaces a page that does not fit. */
const TOO_LONG = '### The summary is full: see the log for the rest\n';

/** A created cluster as the summary shows it. */
export interface CreatedCluster {
  readonly name: string;
  readonly namespace: string;
  readonly state: string;
  /** The host's API server. */
  readonly host: string;
  /** Undefined until there is an API to reach. */
  readonly server: string | undefined;
  readonly kubernetesVersion: string;
  readonly machines: string;
  /** What this create installed on the host, with versions. */
  readonly installed: readonly string[];
  readonly expiresAt: string | undefined;
  /** Whether the job's post step deletes it. */
  readonly ephemeral: boolean;
}

/** The page of a create that succeeded: a headline, a table, and a chart of the phases. */
export function createdPage(cluster: CreatedCluster, timeline: Timeline): string {
  const { name, namespace } = cluster;
  const rows = [
    ['Host', { code: cluster.host }],
    ['API server', cluster.server === undefined ? 'not waited for' : { code: cluster.server }],
    ['Kubernetes', { code: cluster.kubernetesVersion }],
    ['Machines', cluster.machines],
    ...(cluster.installed.length === 0 ? [] : [['Installed on the host', cluster.installed.join(', ')]]),
    ['Expires', cluster.expiresAt ?? 'never'],
    ['Reach it', cluster.server === undefined ? 'not yet' : { code: 'kubectl get nodes' }],
    [
      cluster.ephemeral ? 'Delete it' : 'Delete it in a step',
      cluster.ephemeral
        ? 'automatically, at the end of this job'
        : { code: `with: {command: delete, name: ${name}, namespace: ${namespace}}` },
    ],
  ];
  const table = markdownTable(['Cluster', { code: `${namespace}/${name}` }], rows);
  const seconds = (timeline.elapsed / 1000).toFixed(1);
  return [`### ${escape(`${name} ${cluster.state} in ${seconds} s`)}`, '', ...table, '', ...gantt(timeline)].join('\n');
}

/** A page with a headline and a table; the table is left out when it has no rows. */
export function tablePage(headline: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = markdownTable(header, rows);
  return [`### ${escape(headline)}`, ...(table.length > 0 ? [''] : []), ...table].join('\n');
}

/** The page of a failure: what was wrong and what to do, with the evidence folded, except what is wrong with inputs. */
export function failurePage(failure: KnestError, timeline: Timeline): string {
  const next = failure.next === undefined ? [] : ['', `**Next:** ${escape(failure.next)}`];
  const lines = failure.evidence.length === 0 ? [] : ['', ...fenced(failure.evidence)];
  const evidence =
    lines.length === 0 || failure.code === 'KNEST_INPUT'
      ? lines
      : ['', '<details><summary>Details</summary>', ...lines, '', '</details>'];
  return [`### ✖ ${escape(failure.problem)} (${failure.code})`, ...next, ...evidence, '', ...gantt(timeline)].join(
    '\n',
  );
}

/** The page of a cluster that stays although its job failed. */
export function keptPage(cluster: KeptCluster): string {
  return [`### ${escape(cluster.name)} is kept`, '', ...fenced(keptLines(cluster))].join('\n');
}

/** Milliseconds of a command that needs no chart, and of a phase that gets no bar to itself. */
const SHORT_COMMAND = 5_000;
const SHORT_PHASE = 1_000;

/** Seconds between two lines of a chart: the first of these that draws at most MOST_LINES. */
const INTERVALS = [5, 15, 30, 60, 300, 900] as const;
const MOST_LINES = 8;

function tickInterval(elapsed: number): string {
  const fitting = INTERVALS.find((seconds) => elapsed / 1000 / seconds <= MOST_LINES) ?? 3600;
  return fitting < 60 ? `${fitting}second` : `${fitting / 60}minute`;
}

/** A mermaid chart of the phases: those below a second in one bar where they follow each other; nothing below 5 s. */
export function gantt({ phases, start, elapsed }: Timeline): readonly string[] {
  if (phases.length === 0 || elapsed < SHORT_COMMAND) return [];
  const isShort = ({ start: from, end }: Phase): boolean => end - from < SHORT_PHASE;
  const merged = phases.reduce<readonly Phase[]>((before, phase, index) => {
    const [last, previous] = [before.at(-1), phases[index - 1]];
    if (last === undefined || previous === undefined || !isShort(previous) || !isShort(phase))
      return [...before, phase];
    return [...before.slice(0, -1), { name: `${last.name}, ${phase.name}`, start: last.start, end: phase.end }];
  }, []);
  const bars = merged.map(({ name, start: from, end }, index) => {
    const seconds = (end - from) / 1000;
    // mermaid draws nothing for a bar without length.
    const [begin, finish] = [from - start, Math.max(end - start, from - start + 1)].map(Math.round);
    return `    ${name.replaceAll(':', ' ')} (${seconds.toFixed(1)} s) :p${index}, ${begin ?? 0}, ${finish ?? 0}`;
  });
  const axis = ['    dateFormat x', '    axisFormat %M:%S', `    tickInterval ${tickInterval(elapsed)}`];
  return ['```mermaid', 'gantt', ...axis, ...bars, '```'];
}
