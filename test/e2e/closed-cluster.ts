import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Host } from '../host/host.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { ClosedNetwork } from './closed-network.ts';
import { ROLE_NAMESPACE, roleKubeconfig } from './role-account.ts';
import { jobOn } from './support.ts';

/** A cluster of a job in a closed network, with Ready nodes, in ROLE_NAMESPACE, for all tests of a file. */
export class ClosedCluster {
  /** For the files of the tests. */
  readonly directory = mkdtempSync(join(tmpdir(), 'knest-closed-'));
  readonly #host: Host;
  readonly #name: string;
  #network: ClosedNetwork | undefined;
  #job: Job | undefined;
  #main: StepResult | undefined;

  /** Has the tests around the call begin with the create, and end with the network: what their post steps do is theirs. */
  constructor(host: Host, name: string, inputs: Readonly<Record<string, string>>) {
    this.#host = host;
    this.#name = name;
    beforeAll(async () => {
      const network = (this.#network = await ClosedNetwork.make(host));
      const job = (this.#job = jobOn(
        host,
        { name, namespace: ROLE_NAMESPACE, cni: 'flannel', 'wait-for': 'nodes', ...inputs },
        { wrap: (argv) => network.command(argv) },
      ));
      const main = (this.#main = await job.main());
      expect(main.exitCode, main.log).toBe(0);
    });
    afterAll(async () => {
      this.#job?.clean();
      rmSync(this.directory, { recursive: true });
      await this.#network?.remove();
    });
  }

  get network(): ClosedNetwork {
    return made(this.#network);
  }

  /** The job that created it. */
  get job(): Job {
    return made(this.#job);
  }

  /** What the create left. */
  get main(): StepResult {
    return made(this.#main);
  }

  /** The path of the kubeconfig that the create handed over. */
  get kubeconfig(): string {
    return this.main.outputs['kubeconfig-path'] ?? '';
  }

  /** The inputs of a later job that uses the cluster with the permissions of docs/rbac alone. */
  async laterInputs(more: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
    const file = join(this.directory, 'role.kubeconfig');
    writeFileSync(file, await roleKubeconfig(this.#host), { mode: 0o600 });
    const cluster = { command: 'kubeconfig', name: this.#name, namespace: ROLE_NAMESPACE };
    return { ...cluster, 'host-kubeconfig-file': file, ...more };
  }

  /** Runs kubectl in the network, on the nested cluster. Returns its standard output. */
  async kubectl(...args: readonly string[]): Promise<string> {
    return this.network.run(['kubectl', '--kubeconfig', this.kubeconfig, ...args]);
  }
}

function made<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the cluster is created before the first test');
  return part;
}
