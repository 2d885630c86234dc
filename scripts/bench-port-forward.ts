import { Program } from '../test/e2e/program.ts';
import type { Host } from '../test/host/host.ts';

/** Starts `kubectl port-forward` to a port of a Deployment. Returns it with the local port on which it listens. */
export async function portForward(
  host: Host,
  { namespace, deployment, port }: { readonly namespace: string; readonly deployment: string; readonly port: number },
): Promise<{ readonly program: Program; readonly port: number }> {
  const argv = ['kubectl', 'port-forward', '-n', namespace, `deployment/${deployment}`, `:${port}`];
  const program = await Program.start((line) => host.command(line), argv, host.environment);
  const local = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(program.first)?.[1];
  if (local === undefined) throw new Error(`kubectl port-forward printed ${program.first}`);
  return { program, port: Number(local) };
}
