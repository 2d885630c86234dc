import { down, up } from '../host/host.ts';
import { lineReport } from '../host/report.ts';

/** The name of the host that the tests share; any other host on the machine is left alone. */
export const hostName = 'e2e';

/** Brings up the host of the tests, fresh, so that a run that was cut short leaves nothing to the next. */
export async function setup(): Promise<void> {
  const report = lineReport();
  await down(hostName, report);
  await up({ name: hostName }, report);
}

/** Takes it down, unless KNEST_KEEP_HOST asks for it to be looked at afterwards. */
export async function teardown(): Promise<void> {
  if (process.env['KNEST_KEEP_HOST'] === undefined) await down(hostName, lineReport());
}
