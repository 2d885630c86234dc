import { down, up, type Host } from '../host/host.ts';
import { lineReport } from '../host/report.ts';
import { watchSecrets } from '../support/evidence.ts';
import { hostName, jobOn } from './support.ts';

/** Whether the host outlives the run, to be looked at afterwards and used by the next. */
const keepsHost = process.env['KNEST_KEEP_HOST'] !== undefined;

let secrets: ReturnType<typeof watchSecrets> | undefined;

/** Brings up the host of the tests: fresh, so that a run that was cut short leaves nothing to the next, unless kept. */
export async function setup(): Promise<void> {
  const report = lineReport();
  if (!keepsHost) await down(hostName, report);
  const host = await up({ name: hostName }, report);
  secrets = watchSecrets(host);
  await install(host);
}

/** Has the action install what clusters of in-memory machines need, so that no test depends on one before it. */
async function install(host: Host): Promise<void> {
  const job = jobOn(host, { infrastructure: 'docker', namespace: 'install', name: 'install', 'wait-for': 'none' });
  const main = await job.main();
  if (main.exitCode !== 0) throw new Error(`nothing could be installed:\n${main.log}`);
  await job.post();
  job.clean();
}

/** Takes it down, unless kept. */
export async function teardown(): Promise<void> {
  secrets?.stop();
  if (!keepsHost) await down(hostName, lineReport());
}
