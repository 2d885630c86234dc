import { down, up } from '../host/host.ts';
import { lineReport } from '../host/report.ts';
import { watchSecrets } from '../support/evidence.ts';

/** The name of the host that the tests share; any other host on the machine is left alone. */
export const hostName = process.env['KNEST_TEST_HOST'] ?? 'e2e';

/** Whether the host outlives the run, to be looked at afterwards and used by the next. */
const keepsHost = process.env['KNEST_KEEP_HOST'] !== undefined;

let secrets: ReturnType<typeof watchSecrets> | undefined;

/** Brings up the host of the tests: fresh, so that a run that was cut short leaves nothing to the next, unless kept. */
export async function setup(): Promise<void> {
  const report = lineReport();
  if (!keepsHost) await down(hostName, report);
  secrets = watchSecrets(await up({ name: hostName }, report));
}

/** Takes it down, unless kept. */
export async function teardown(): Promise<void> {
  secrets?.stop();
  if (!keepsHost) await down(hostName, lineReport());
}
