import type { Host } from '../host/host.ts';
import { run } from '../host/process.ts';

/** The addresses of both ends of the cable between the network and that of a host. */
const [HERE, THERE] = ['172.31.250.2', '172.31.250.1'];
const PREFIX = '/30';
const CABLE = 'runner0';

/**
 * The network of a runner from which nothing of a host can be reached but its API server, and the mirror, which stands for
 * GitHub's releases. Packets to anything else are dropped without an answer, as by a firewall.
 */
export class ClosedNetwork {
  readonly #host: Host;
  readonly #name: string;

  private constructor(host: Host) {
    this.#host = host;
    this.#name = `knest-${host.name}-runner`;
  }

  /** Makes the network of a host's runner; what is left of an earlier one is removed first. */
  static async make(host: Host): Promise<ClosedNetwork> {
    const network = new ClosedNetwork(host);
    await network.remove();
    const name = network.#name;
    await run('ip', ['netns', 'add', name]);
    await host.run(['ip', 'link', 'add', CABLE, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await host.run(['ip', 'address', 'add', `${THERE}${PREFIX}`, 'dev', CABLE]);
    await host.run(['ip', 'link', 'set', CABLE, 'up']);
    for (const command of [
      ['ip', 'link', 'set', 'lo', 'up'],
      ['ip', 'address', 'add', `${HERE}${PREFIX}`, 'dev', 'eth0'],
      ['ip', 'link', 'set', 'eth0', 'up'],
      ['ip', 'route', 'add', 'default', 'via', THERE],
    ])
      await network.run(command);
    const rules = `
      table inet runner {
        chain input {
          type filter hook input priority filter - 5; policy accept;
          iifname "${CABLE}" ip daddr 172.30.0.10 tcp dport { 6443, 8080 } accept
          iifname "${CABLE}" drop
        }
        chain forward {
          type filter hook forward priority filter - 5; policy accept;
          iifname "${CABLE}" drop
        }
      }`;
    await host.run(['nft', '-f', '-'], { input: rules });
    return network;
  }

  /** A command line that runs `argv` in the network, and outside of it in every other way. */
  command(argv: readonly string[]): { command: string; args: string[] } {
    return { command: 'nsenter', args: [`--net=/run/netns/${this.#name}`, '--', ...argv] };
  }

  /** Runs a command in the network. Returns its standard output. */
  async run(argv: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<string> {
    const { command, args } = this.command(argv);
    return run(command, args, { timeout: 120_000, ...options, env: this.#host.environment });
  }

  /** Removes it, with its end of the cable and so the other one. */
  async remove(): Promise<void> {
    const quietly = (): undefined => undefined;
    await run('ip', ['netns', 'delete', this.#name]).catch(quietly);
    await this.#host.run(['nft', 'delete', 'table', 'inet', 'runner']).catch(quietly);
    await this.#host.run(['ip', 'link', 'delete', CABLE]).catch(quietly);
  }
}
