import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tail, until } from '../host/process.ts';

/** What a virtual machine is made of. */
export interface MachineOptions {
  /** Its disk, as qcow2. It is not changed. */
  readonly disk: string;
  /** The ISO image with its cloud-init data. */
  readonly configDrive: string;
  /** The port of this machine that leads to port 6443 of the virtual one. */
  readonly port: number;
}

/** Lines of the console in an error. */
const LINES = 80;

/** A virtual machine in software emulation, with a serial console. */
export class VirtualMachine {
  readonly #process: ChildProcess;
  #console = '';

  constructor({ disk, configDrive, port }: MachineOptions) {
    // Not restricted: a network without a gateway leaves kubeadm without an address to advertise.
    const network = `user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:${port}-:6443`;
    this.#process = spawn(
      'qemu-system-x86_64',
      [
        // As KubeVirt makes one: a Q35 machine with BIOS, disks and network by virtio.
        ...['-nodefaults', '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '3072'],
        ...['-drive', `file=${disk},if=virtio,format=qcow2,snapshot=on`],
        ...['-drive', `file=${configDrive},if=virtio,format=raw,readonly=on`],
        ...['-netdev', network, '-device', 'virtio-net-pci,netdev=net', '-device', 'virtio-rng-pci'],
        ...['-display', 'none', '-serial', 'stdio', '-no-reboot'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const read = (text: string): void => {
      this.#console += text;
    };
    this.#process.stdout?.setEncoding('utf8').on('data', read);
    this.#process.stderr?.setEncoding('utf8').on('data', read);
  }

  /** What the console has shown so far. */
  get console(): string {
    return this.#console;
  }

  /** Waits until the console shows a text. Throws with its end when it shows `failure`, or when the machine ends. */
  async waitForConsole(text: string, failure: RegExp, timeout: number): Promise<void> {
    await this.explain(() =>
      until(`the console shows "${text}"`, timeout, () => {
        if (this.#process.exitCode !== null) throw new Error(`QEMU ended with ${this.#process.exitCode}`);
        const failed = failure.exec(this.#console);
        if (failed !== null) throw new Error(`the console shows "${failed[0]}"`);
        return this.#console.includes(text);
      }),
    );
  }

  /** Does something with the machine; an error has the end of the console. */
  async explain<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`${reason}\nThe end of the console:\n${tail(this.#console, LINES)}`, { cause: thrown });
    }
  }

  /** Ends the machine. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await closed;
  }
}
