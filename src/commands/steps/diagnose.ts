import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectDiagnostics, type Thoroughness } from '../../cluster/diagnostics/collect.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import { messageOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Runtime } from '../../runtime.ts';

/** How much is read, and in how many milliseconds. */
export interface Effort {
  readonly thoroughness: Thoroughness;
  readonly milliseconds: number;
}

/** In main, before what failed is deleted. */
export const IN_MAIN: Effort = { thoroughness: 'whole', milliseconds: 15_000 };
/** In the post step of a job that failed, whose deletion can wait for a moment. */
export const AFTER_FAILURE: Effort = { thoroughness: 'brief', milliseconds: 10_000 };
/** In the post step of a cancelled job, which is to ask for the deletion 3 s after its start. */
export const AFTER_CANCELLATION: Effort = { thoroughness: 'brief', milliseconds: 1_500 };

/**
 * Shows why a cluster is not as it should be, folded in the log, and leaves all of it as files, without
 * secrets, in a directory that is an output. Never rejects: the failure that is explained must come through.
 */
export async function diagnose(
  client: KubernetesClient,
  cluster: ClusterHandle,
  { thoroughness, milliseconds }: Effort,
  runtime: Runtime,
): Promise<void> {
  const {
    report: { log },
    secrets: { redact },
    clock: { cancelled },
  } = runtime;
  // A cancelled main has seconds: its post step looks.
  if (cancelled.aborted) return;
  const time = AbortSignal.timeout(milliseconds);
  const within = client.briefly(AbortSignal.any([time, cancelled]));
  try {
    const findings = await collectDiagnostics(within, cluster, thoroughness);
    if (findings.length === 0) return;
    const path = join(runtime.directory, 'diagnostics', cluster.name);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    for (const { title, file, lines, shown } of findings) {
      if (shown.length > 0) log.section(`${title} (${file})`, redact(shown.join('\n')).split('\n'));
      await writeFile(join(path, file), `${redact(lines.join('\n'))}\n`);
    }
    runtime.outputs.set('diagnostics-path', path);
    log.line(`▸ Diagnostics are in ${path}`);
  } catch (thrown) {
    log.line(`▸ Diagnostics were not collected: ${messageOf(thrown)}`);
  }
}
