import { parseArgs } from 'node:util';
import { jobOn, kubernetesVersion, leftovers } from '../test/e2e/support.ts';
import { down, find, status, up, type Host } from '../test/host/host.ts';
import { parts } from '../test/host/modules.ts';
import { lineReport, seconds, type Report } from '../test/host/report.ts';
import type { Job, StepResult } from '../test/support/runner.ts';
import { liveLog } from './live-log.ts';
import { print, Stage } from './stage.ts';

/** The demo's own host: any other on the machine is left alone. */
const hostName = 'demo';
const usage = 'usage: npm run demo [-- --keep]     --keep leaves both clusters running and prints how to use them';

const stage = new Stage();
let job: Job | undefined;
let main: StepResult | undefined;

/** The host's steps, of which the next is not begun once the demo is to end. */
function report(): Report {
  const lines = lineReport(print);
  return {
    step(name, work) {
      stage.goOn();
      return lines.step(name, work);
    },
    note(text) {
      stage.goOn();
      lines.note(text);
    },
  };
}

async function create(host: Host): Promise<StepResult> {
  print(
    host.hasVirtink
      ? 'The cluster is real; Virtink’s controllers are stand-ins, and its machines are containers (test/host/README.md).'
      : 'The release assets of Virtink are not available here: the machines are in memory instead.',
  );
  const inputs = {
    name: 'demo',
    infrastructure: host.hasVirtink ? 'virtink' : 'in-memory',
    'control-plane-machine-count': '1',
    'worker-machine-count': '1',
    'wait-for': 'nodes',
  };
  const shown = Object.entries({ 'kubernetes-version': kubernetesVersion, ...inputs });
  print(`with ${shown.map(([input, value]) => `${input}: ${value}`).join(', ')}\n`);
  job = jobOn(host, inputs, { onLine: liveLog(print) });
  main = await job.main();
  if (main.exitCode !== 0 && !stage.isStopped) throw new Error('the cluster was not created: the log above says why');
  return main;
}

async function look(host: Host, { outputs }: StepResult): Promise<void> {
  print('$ kubectl get nodes,pods -A -o wide');
  const kubeconfig = outputs['kubeconfig-path'] ?? '';
  print((await host.run(['kubectl', '--kubeconfig', kubeconfig, 'get', 'nodes,pods', '-A', '-o', 'wide'])).trimEnd());
  if (host.hasVirtink) print('\nNodes are NotReady until a step of the job installs the network (CNI) of its choice.');
}

/** Does what the runner does when the job ends, and looks whether that left anything. */
async function end(host: Host, job: Job): Promise<void> {
  await job.post();
  const { name, namespace } = main?.outputs ?? {};
  const left = name && namespace ? await leftovers(host, namespace, name) : [];
  if (left.length > 0) throw new Error(`the post step left on the host: ${left.join(', ')}`);
  print('What the host has of the cluster: nothing.');
}

/** The parts of the demo, but for the last. */
async function perform(keep: boolean): Promise<void> {
  const host = await stage.show('Host up', () =>
    up({ name: hostName, without: parts.filter((part) => part !== 'virtink') }, report()),
  );
  stage.goOn();
  try {
    const created = await stage.show('Create a nested cluster', () => create(host));
    stage.goOn();
    await stage.show('Look at it', () => look(host, created));
    stage.goOn();
  } finally {
    // The host takes all of it along: somebody who waits for the end need not wait for this.
    if (job !== undefined && !keep && !stage.isStopped) {
      const ended = job;
      await stage.show('Post step', () => end(host, ended));
    }
  }
}

async function takeDown(): Promise<void> {
  job?.clean();
  if ((await status(hostName)).state === 'absent') return;
  await stage.show('Host down', async () => {
    const { processes } = await down(hostName, lineReport(print));
    print(`${processes} processes with their mounts, network and files are gone`);
  });
}

function times(): void {
  print('\n━━ Times');
  for (const { title, time } of stage.parts) {
    print(`${title.padEnd(28)} ${time.padStart(8)}`);
    if (title.startsWith('Create')) phases(main?.outputs['timings'] ?? '{}');
  }
}

function phases(timings: string): void {
  for (const [name, time] of Object.entries(JSON.parse(timings) as Record<string, number>)) {
    if (name !== 'total') print(`    ${name.padEnd(24)} ${time.toFixed(1).padStart(6)} s`);
  }
}

/** Where things are, for somebody who goes on by hand. */
function keepsRunning(): void {
  if (find(hostName) === undefined) return;
  const { name = '', namespace = '', 'kubeconfig-path': kubeconfig } = main?.outputs ?? {};
  const inside = `npm run host:exec -- --name ${hostName} --`;
  const nested =
    kubeconfig === undefined
      ? []
      : [`use the nested cluster   ${inside} env KUBECONFIG=${kubeconfig} kubectl get nodes`];
  const all = name === '' ? [] : [`delete it                ${inside} kubectl delete cluster -n ${namespace} ${name}`];
  const lines = [
    ...nested,
    `use the host             ${inside} kubectl get clusters,machines,pods -A`,
    ...all,
    `take the host down       npm run host:down -- --name ${hostName}${job === undefined ? '' : ` && rm -r ${job.directory}`}`,
  ];
  print(`\nLeft running:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

async function demo(keep: boolean): Promise<number> {
  const began = performance.now();
  // A terminal sends SIGINT to the action too. It heeds each signal once, so that it gets the other from here.
  stage.listen(() => job?.process?.kill('SIGTERM'));
  const problems: unknown[] = [];
  await perform(keep).catch((thrown: unknown) => {
    // What the signal interrupted is not a separate problem.
    if (!stage.isStopped) problems.push(thrown);
  });
  if (!keep) await takeDown().catch((thrown: unknown) => problems.push(thrown));
  if (main !== undefined) times();
  if (keep) keepsRunning();
  for (const problem of problems) print(`✖ ${problem instanceof Error ? problem.message : String(problem)}`);
  if (problems.length > 0) return 1;
  const left = keep ? '' : ', and nothing of it is left';
  print(stage.isStopped ? `✖ the demo was ended${left}` : `✔ the demo is done in ${seconds(began)}${left}`);
  return stage.isStopped ? 130 : 0;
}

try {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
  process.exitCode = await demo(values.keep);
} catch (thrown) {
  print(`✖ ${thrown instanceof Error ? thrown.message : String(thrown)}\n${usage}`);
  process.exitCode = 2;
}
