import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KnestError, type Failure } from '../../../src/errors.ts';
import {
  createdPage,
  failurePage,
  gantt,
  githubSummary,
  tablePage,
  type CreatedCluster,
} from '../../../src/report/summary.ts';
import { Timeline, type Phase } from '../../../src/report/timeline.ts';

/** A timeline that began at 1000, with these phases. */
async function timelineOf(...phases: readonly Phase[]): Promise<Timeline> {
  const clock = { now: 1000 };
  const timeline = new Timeline(() => clock.now);
  for (const { name, start, end } of phases) {
    clock.now = start;
    await timeline.during(name, () => {
      clock.now = end;
      return Promise.resolve();
    });
  }
  return timeline;
}
const empty = new Timeline(() => 0);

const cluster: CreatedCluster = {
  name: 'pr-17',
  namespace: 'knest',
  state: 'is ready',
  host: 'https://10.1.2.3:6443',
  server: 'https://10.86.2.9:6443',
  kubernetesVersion: 'v1.36.3',
  machines: '1 + 2',
  installed: ['cert-manager v1.20.3', 'Virtink v0.15.0'],
  expiresAt: '2026-11-22T23:10:00Z',
  ephemeral: true,
};

describe('createdPage', () => {
  it('has a headline and a table of the most important facts', async () => {
    const page = createdPage(cluster, await timelineOf({ name: 'Apply', start: 1000, end: 7000 }));
    expect(page.split('\n').slice(0, 13)).toEqual([
      '### pr-17 is ready in 6.0 s',
      '',
      '| Cluster | `knest/pr-17` |',
      '| --- | --- |',
      '| Host | `https://10.1.2.3:6443` |',
      '| API server | `https://10.86.2.9:6443` |',
      '| Kubernetes | `v1.36.3` |',
      '| Machines | 1 + 2 |',
      '| Installed on the host | cert-manager v1.20.3, Virtink v0.15.0 |',
      '| Expires | 2026-11-22T23:10:00Z |',
      '| Reach it | `kubectl get nodes` |',
      '| Delete it | automatically, at the end of this job |',
      '',
    ]);
    expect(page).toContain('```mermaid\ngantt\n');
  });

  it('shows a non-ephemeral cluster that was not waited for', () => {
    const lasting = { ...cluster, ephemeral: false, expiresAt: undefined, server: undefined, installed: [] };
    const page = createdPage(lasting, empty);
    expect(page.split('\n').slice(5)).toEqual([
      '| API server | not waited for |',
      '| Kubernetes | `v1.36.3` |',
      '| Machines | 1 + 2 |',
      '| Expires | never |',
      '| Reach it | not yet |',
      '| Delete it in a step | `with: {command: delete, name: pr-17, namespace: knest}` |',
      '',
    ]);
  });

  it('keeps its table intact, whatever a value contains', () => {
    const page = createdPage({ ...cluster, host: 'https://a`b|c' }, empty);
    expect(page).toContain("| Host | `https://a'b\\|c` |");
  });

  it('escapes every value that a user can choose', () => {
    const hostile = 'x | <img> `y`\n| a | b |';
    const text = 'x \\| \\<img\\> \\`y\\` \\| a \\| b \\|';
    const code = "`x \\| <img> 'y' \\| a \\| b \\|`";
    const given = { name: hostile, host: hostile, server: hostile, machines: hostile, expiresAt: hostile };
    const lines = createdPage({ ...cluster, ...given, kubernetesVersion: hostile }, empty).split('\n');
    expect(lines[0]).toBe(`### ${text} is ready in 0.0 s`);
    for (const title of ['Host', 'API server', 'Kubernetes']) expect(lines).toContain(`| ${title} | ${code} |`);
    for (const title of ['Machines', 'Expires']) expect(lines).toContain(`| ${title} | ${text} |`);
    // Headline, table and the blank lines around it.
    expect(lines).toHaveLength(13);
  });
});

describe('tablePage', () => {
  it('has a headline and a table, and escapes Markdown from the cluster', () => {
    const page = tablePage('1 cluster', ['Cluster', 'Run'], [['knest/a|b', '<img>']]);
    expect(page).toBe('### 1 cluster\n\n| Cluster | Run |\n| --- | --- |\n| knest/a\\|b | \\<img\\> |');
  });

  it('fits into the summary of a step with 12,000 clusters, and counts the rows that it leaves out', () => {
    const row = ['knest/pr-17', 'provisioned', '5m', 'in 3h', 'octo-org/a-repository', '17', 'https://github.com/run'];
    const page = tablePage('12000 clusters', row, Array<typeof row>(12_000).fill(row));
    expect(Buffer.byteLength(page)).toBeLessThan(512 * 1024);
    const shown = page.split('\n').filter((line) => line.startsWith('| knest')).length - 1;
    expect(shown).toBeGreaterThan(1000);
    expect(page.endsWith(`\n\n… and ${12_000 - shown} more rows: see the log.`)).toBe(true);
  });

  it('has no table without rows', () => {
    expect(tablePage('no clusters', ['Cluster'], [])).toBe('### no clusters');
  });
});

describe('failurePage', () => {
  const pageOf = (failure: Omit<Failure, 'code'>): string =>
    failurePage(new KnestError({ code: 'KNEST_IMAGE_PULL', ...failure }), empty);

  it('has the problem, the next step, and the evidence in a folded block', () => {
    expect(pageOf({ problem: 'pr cannot start', evidence: ['one', 'two'], next: 'set another' })).toBe(
      [
        '### ✖ pr cannot start (KNEST_IMAGE_PULL)',
        '',
        '**Next:** set another',
        '',
        '<details><summary>Details</summary>',
        '',
        '```text',
        'one',
        'two',
        '```',
        '',
        '</details>',
        '',
      ].join('\n'),
    );
  });

  it('shows problems of inputs without folding', () => {
    const failure = new KnestError({ code: 'KNEST_INPUT', problem: '1 input cannot be used', evidence: ['ttl: "x"'] });
    expect(failurePage(failure, empty)).toBe('### ✖ 1 input cannot be used (KNEST_INPUT)\n\n```text\nttl: "x"\n```\n');
  });

  it('has only the problem when there is nothing else', () => {
    expect(pageOf({ problem: 'pr cannot start' })).toBe('### ✖ pr cannot start (KNEST_IMAGE_PULL)\n');
  });

  it.each([
    ['<img src=x onerror=y>', '\\<img src=x onerror=y\\>'],
    ['a `b` **c** __d__', 'a \\`b\\` \\*\\*c\\*\\* \\_\\_d\\_\\_'],
    ['![i](https://evil)', '!\\[i\\](https://evil)'],
    ['a | b # c {d}', 'a \\| b \\# c \\{d\\}'],
    ['back\\slash', 'back\\\\slash'],
    ['one\n# two\r\nthree', 'one \\# two three'],
  ])('makes no Markdown or HTML of %j', (text, escaped) => {
    expect(pageOf({ problem: text }).split('\n')[0]).toBe(`### ✖ ${escaped} (KNEST_IMAGE_PULL)`);
    expect(pageOf({ problem: 'x', next: text })).toContain(`**Next:** ${escaped}\n`);
  });

  it('keeps all evidence in its block', () => {
    const page = pageOf({ problem: 'x', evidence: ['```', 'a ````` b', '</details>', '| as `it` is |'] });
    const block = page.split('```text\n')[1]?.split('\n```\n')[0];
    expect(block?.split('\n')).toEqual(["'''", "a '''`` b", '</details>', '| as `it` is |']);
    // The two that open and close the block.
    expect(page.match(/```/g)).toHaveLength(2);
  });

  it('counts the evidence that it leaves out', () => {
    const page = pageOf({ problem: 'x', evidence: Array<string>(12_000).fill('knest/pr-17: it expired an hour ago') });
    expect(Buffer.byteLength(page)).toBeLessThan(512 * 1024);
    const shown = page.match(/^knest\/pr-17/gm)?.length ?? 0;
    expect(page).toContain(`\n\`\`\`\n\n… and ${12_000 - shown} more lines: see the log.\n\n</details>`);
  });

  it('shows no invisible characters', () => {
    expect(pageOf({ problem: 'a\u202eb', evidence: ['c\u200bd'] })).toMatch(/✖ ab .*\ncd\n/s);
  });

  it('ends with the chart of the phases', async () => {
    const timeline = await timelineOf({ name: 'Apply', start: 1000, end: 7000 });
    const page = failurePage(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'x' }), timeline);
    expect(page.split('\n').slice(1)).toEqual(['', ...gantt(timeline)]);
  });
});

describe('gantt', () => {
  it('is empty without phases, or below 5 seconds', async () => {
    expect(gantt(empty)).toEqual([]);
    expect(gantt(await timelineOf({ name: 'List', start: 1000, end: 5999 }))).toEqual([]);
  });

  it('has one bar for consecutive phases below a second', async () => {
    const timeline = await timelineOf(
      { name: 'Connect', start: 1000, end: 1250 },
      { name: 'Preflight', start: 1250, end: 1500 },
      { name: 'Install', start: 1500, end: 31_500 },
      { name: 'Claim', start: 31_500, end: 31_600 },
    );
    expect(gantt(timeline).slice(5, -1)).toEqual([
      '    Connect, Preflight (0.5 s) :p0, 0, 500',
      '    Install (30.0 s) :p1, 500, 30500',
      '    Claim (0.1 s) :p2, 30500, 30600',
    ]);
  });

  it('has a bar for each phase, starting at the beginning of the command', async () => {
    const timeline = await timelineOf(
      { name: 'Connect', start: 1000, end: 1250 },
      { name: 'Wait for: nodes', start: 1250, end: 34_449.6 },
    );
    expect(gantt(timeline)).toEqual([
      '```mermaid',
      'gantt',
      '    dateFormat x',
      '    axisFormat %M:%S',
      '    tickInterval 5second',
      '    Connect (0.3 s) :p0, 0, 250',
      '    Wait for  nodes (33.2 s) :p1, 250, 33450',
      '```',
    ]);
  });

  it.each([
    [40, '5second'],
    [41, '15second'],
    [1200, '5minute'],
    [50_000, '60minute'],
  ])('draws at most eight lines for %i s', async (seconds, interval) => {
    const timeline = await timelineOf({ name: 'Wait', start: 1000, end: 1000 + seconds * 1000 });
    expect(gantt(timeline)).toContain(`    tickInterval ${interval}`);
  });

  it('gives a phase without duration a visible bar', async () => {
    const timeline = await timelineOf(
      { name: 'Install', start: 1500, end: 1500 },
      { name: 'Wait', start: 1500, end: 9000 },
    );
    expect(gantt(timeline)).toContain('    Install (0.0 s) :p0, 500, 501');
  });
});

describe('githubSummary', () => {
  const emptyFile = (): string => {
    const directory = mkdtempSync(join(tmpdir(), 'summary-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'page');
    writeFileSync(file, '');
    return file;
  };

  it('appends to the summary of the job', async () => {
    const file = emptyFile();
    writeFileSync(file, 'before\n');
    const page = githubSummary({ GITHUB_STEP_SUMMARY: file });
    await page.add('one');
    await page.add('two');
    expect(readFileSync(file, 'utf8')).toBe('before\none\ntwo\n');
    // A summary that can no longer be written does not fail the job.
    rmSync(dirname(file), { recursive: true });
    await expect(page.add('three')).resolves.toBeUndefined();
  });

  it('never exceeds the size limit of GitHub for a step', async () => {
    const file = emptyFile();
    const page = githubSummary({ GITHUB_STEP_SUMMARY: file });
    for (const text of ['a', 'é'.repeat(400_000), 'b'.repeat(400_000), 'c']) await page.add(text);
    expect(readFileSync(file, 'utf8')).toMatch(/^a\né+\n### The summary is full: see the log for the rest\nc\n$/);
    for (let count = 0; count < 300; count++) await page.add('d'.repeat(1000));
    expect(statSync(file).size).toBeLessThan(1024 * 1024);
  });

  it('does nothing when the runner has no summary', async () => {
    await expect(githubSummary({}).add('one')).resolves.toBeUndefined();
  });
});
