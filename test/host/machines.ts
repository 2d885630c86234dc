import { join } from 'node:path';
import type { Part } from './modules.ts';

/** The devices that Virtink's device plugin would offer, and how many of each. */
const devices = { count: '110', names: ['kvm', 'tun', 'vhost-net'].map((name) => `devices.virtink.io/${name}`) };

/** Runs kubectl as the host's admin. */
type Kubectl = (args: readonly string[]) => Promise<string>;

async function prepareVirtink(kubectl: Kubectl): Promise<void> {
  await kubectl(['apply', '-f', join(import.meta.dirname, 'manifests')]);
  const amounts = Object.fromEntries(devices.names.map((device) => [device, devices.count]));
  const patch = JSON.stringify({ status: { capacity: amounts, allocatable: amounts } });
  await kubectl(['patch', 'node', 'host', '--subresource=status', '--type=merge', `--patch=${patch}`]);
}

/** Makes VMs of a host's engines run as containers. Returns the names of these engines. */
export async function prepareMachines(kubectl: Kubectl, parts: ReadonlySet<Part>): Promise<string[]> {
  const engines: string[] = [];
  if (parts.has('virtink')) {
    await prepareVirtink(kubectl);
    engines.push('Virtink');
  }
  if (parts.has('kubevirt')) {
    // Its stand-in for virt-handler offers the devices.
    await kubectl(['apply', '-f', join(import.meta.dirname, 'kubevirt')]);
    engines.push('KubeVirt');
  }
  return engines;
}
