import type { DataVolume, Machine } from '../../host/api/cluster-api-objects.ts';
import { conditionOf, type KubernetesObject, type Pod } from '../../host/api/objects.ts';
import { describePodProblem, isMissingImage, podProblem, type PodProblem } from '../../host/pods.ts';
import { isOwnPod } from '../identity/identity.ts';
import type { Role } from '../engines/engine.ts';
import { engineOfMachine } from '../engines/engines.ts';
import type { Ages, DeadEnd } from './dead-end.ts';
import { refusedServiceDeadEnd } from './refused-service.ts';
import {
  dataVolumesOf,
  engineOfPod,
  isControlPlane,
  machineOf,
  SANDBOX_REASON,
  virtualMachineOf,
  type ClusterView,
} from './cluster-view.ts';

/** Seconds that a state may last which an autoscaler, or a registry's next answer, could still mend. */
const UNSCHEDULABLE_GRACE = 60;
const IMAGE_GRACE = 60;
const CRASH_GRACE = 60;
const CONSUMER_GRACE = 60;
const SANDBOX_GRACE = 60;
const REFUSAL_GRACE = 60;
/** How often a sandbox has to fail: once or twice it does where a CNI has just come up. */
const SANDBOX_FAILURES = 3;

/** What a registry says of an image that it does not give, as it will say at the next try. */
const FINAL_IMAGE_ANSWER = /denied|unauthorized|invalid reference|couldn't parse/i;

/** What to do about an image of an engine that has no advice. */
const IMAGE_ADVICE = 'check the images in the template of the cluster';

/** The first dead end that the view shows; undefined while there is hope. */
export function findDeadEnd(view: ClusterView, ages: Ages): DeadEnd | undefined {
  for (const pod of podsThatCount(view)) {
    const problem = podProblem(pod);
    const deadEnd = problem && podDeadEnd(pod, problem, view, ages(`${pod.metadata.name}/${problem.kind}`));
    if (deadEnd !== undefined) return deadEnd;
    const noNetwork = problem === undefined ? sandboxDeadEnd(pod, view, ages) : undefined;
    if (noNetwork !== undefined) return noNetwork;
  }
  return machineDeadEnd(view, ages) ?? refusedServiceDeadEnd(view, ages) ?? providerDeadEnd(view);
}

/** The pods of machines that are neither being replaced nor deleted. */
export function podsThatCount(view: ClusterView): readonly Pod[] {
  const isGoing = ({ metadata }: KubernetesObject): boolean => metadata.deletionTimestamp !== undefined;
  return view.pods.filter((pod) => {
    const machine = machineOf(pod, view);
    return !isOwnPod(pod.metadata) && !isGoing(pod) && !(machine !== undefined && isGoing(machine));
  });
}

function podDeadEnd(pod: Pod, problem: PodProblem, view: ClusterView, age: number): DeadEnd | undefined {
  const evidence = [describePodProblem(pod, problem)];
  const role = roleOf(pod);
  const engine = engineOfPod(pod, view).virtualMachines;
  const known = engine?.knownFailures.find(({ message }) => message.test(problem.message));
  if (known !== undefined) {
    return { code: 'KNEST_INFRASTRUCTURE', problem: 'the host cannot run such machines', evidence, next: known.next };
  }
  switch (problem.kind) {
    case 'image': {
      const isMissing = isMissingImage(problem);
      if (!isMissing && !FINAL_IMAGE_ANSWER.test(problem.message) && age < IMAGE_GRACE) return undefined;
      const image = problem.container?.image ?? 'an image';
      const reason = isMissing ? 'not found' : problem.reason;
      return {
        code: 'KNEST_IMAGE_PULL',
        problem: `the image ${image} cannot be pulled (${reason})`,
        evidence,
        next: engine?.imageAdvice(role, problem.container?.name ?? '') ?? IMAGE_ADVICE,
      };
    }
    case 'unschedulable':
      if (age < UNSCHEDULABLE_GRACE) return undefined;
      return {
        code: 'KNEST_UNSCHEDULABLE',
        problem: `the VM of machine ${machineOf(pod, view)?.metadata.name ?? pod.metadata.name} does not fit on any node of the host`,
        evidence,
        next: `lower ${role}-machine-memory-size or ${role}-machine-cpu-cores, or add ${engine?.roomAdvice ?? 'a larger node'} to the host`,
      };
    case 'crashing':
      if (age < CRASH_GRACE) return undefined;
      return {
        code: 'KNEST_INFRASTRUCTURE',
        problem: `the VM of machine ${machineOf(pod, view)?.metadata.name ?? pod.metadata.name} does not start`,
        evidence,
        next: `look at kubectl logs --all-containers -n ${pod.metadata.namespace ?? ''} ${pod.metadata.name} on the host`,
      };
    case 'waiting':
      return undefined;
  }
}

/** A pod whose sandbox the kubelet tries to make again and again: its status says nothing of it. */
function sandboxDeadEnd(pod: Pod, view: ClusterView, ages: Ages): DeadEnd | undefined {
  const { name, namespace = '', uid } = pod.metadata;
  // With an address it has a sandbox after all, but it has none while the kubelet pulls the first image.
  const isMade = conditionOf(pod, 'PodReadyToStartContainers')?.status === 'True';
  if (pod.status?.phase !== 'Pending' || pod.status.podIP !== undefined || isMade) return undefined;
  const about = view.sandboxEvents.filter(
    ({ involvedObject }) => involvedObject?.name === name && (uid === undefined || involvedObject.uid === uid),
  );
  const event = about.at(-1);
  const failures = about.reduce((sum, { count = 1 }) => sum + count, 0);
  if (event === undefined || failures < SANDBOX_FAILURES) return undefined;
  if (ages(`${name}/sandbox`) < SANDBOX_GRACE) return undefined;
  return {
    code: 'KNEST_INFRASTRUCTURE',
    problem: `the host cannot set up a network for the VM of machine ${machineOf(pod, view)?.metadata.name ?? name}`,
    evidence: [`Pod ${namespace}/${name}: ${SANDBOX_REASON}: ${(event.message ?? '').replace(/\s+/g, ' ').trim()}`],
    next: "read the message of the host's CNI above; for a persistent cluster, choose persistent-machine-addresses in the host's pod network that no other pod has",
  };
}

/** The role of a machine, or of a pod, whose labels are those of its machine. */
function roleOf(object: KubernetesObject): Role {
  return isControlPlane(object) ? 'control-plane' : 'worker';
}

/** What a provider has given up, whichever it is. */
function providerDeadEnd({ cluster, machines }: ClusterView): DeadEnd | undefined {
  for (const object of [...(cluster === undefined ? [] : [cluster]), ...machines]) {
    const { failureReason = 'no reason', failureMessage } = object.status?.deprecated?.v1beta1 ?? {};
    if (failureMessage === undefined || object.metadata.deletionTimestamp !== undefined) continue;
    return {
      code: 'KNEST_INFRASTRUCTURE',
      problem: `the infrastructure of ${object.kind} ${object.metadata.name} has failed (${failureReason})`,
      evidence: [failureMessage],
      next: 'check the log of the controller of the infrastructure provider on the host',
    };
  }
  return undefined;
}

/** What IPAM says when every address of a pool is taken. Source: metal3-io/ip-address-manager v1.2.1 ipam/ippool_manager.go. */
const NO_ADDRESS = /Exhausted IP Pools/;

function noAddress({ metadata: { name, namespace = '' } }: Machine, failure: string): DeadEnd {
  return {
    code: 'KNEST_ADDRESS_POOL',
    problem: `no free address for machine ${name}: its pool is exhausted`,
    evidence: [failure],
    next: `look at kubectl get ipclaims -n ${namespace} on the host; add addresses with kubectl edit ippool, then delete the Machine`,
  };
}

/** A disk that CDI will not fill. */
function diskDeadEnd(disk: DataVolume, machine: Machine, ages: Ages): DeadEnd | undefined {
  const { name } = disk.metadata;
  const phase = disk.status?.phase;
  const { reason = '', message = '' } = conditionOf(disk, 'Running') ?? {};
  const evidence = [
    `DataVolume ${name}: ${phase ?? 'no phase yet'}${reason === '' ? '' : ` (${reason})`} ${message}`.trim(),
  ];
  if (phase !== 'Succeeded' && /ErrImagePull|ImagePullBackOff/.test(reason) && ages(`${name}/image`) >= IMAGE_GRACE) {
    return {
      code: 'KNEST_IMAGE_PULL',
      problem: `the image of disk ${name} cannot be pulled (${reason})`,
      evidence,
      next: engineOfMachine(machine).persistence?.imageAdvice(roleOf(machine)) ?? IMAGE_ADVICE,
    };
  }
  // The engine makes the pod once the disk is filled, and CDI would fill the disk once there is a pod.
  if (phase === 'WaitForFirstConsumer' && ages(`${name}/consumer`) >= CONSUMER_GRACE) {
    return {
      code: 'KNEST_STORAGE_CLASS',
      problem: `disk ${name} waits for the VM of machine ${machine.metadata.name}, which waits for the disk`,
      evidence,
      next: 'make a StorageClass with volumeBindingMode: Immediate the default of the host',
    };
  }
  return undefined;
}

/** How to get another machine in place of one that ended; its data, and the cluster of the only control plane, is lost. */
function replacement(machine: Machine, { machines }: ClusterView): string {
  const { name, namespace = '' } = machine.metadata;
  const isOnly = isControlPlane(machine) && machines.filter(isControlPlane).length === 1;
  return isOnly ? '' : `; kubectl delete machine -n ${namespace} ${name} has Cluster API make another`;
}

function machineDeadEnd(view: ClusterView, ages: Ages): DeadEnd | undefined {
  for (const machine of view.machines) {
    if (machine.metadata.deletionTimestamp !== undefined) continue;
    const failure = machine.status?.deprecated?.v1beta1?.failureMessage ?? '';
    if (NO_ADDRESS.test(failure)) return noAddress(machine, failure);
    for (const disk of dataVolumesOf(machine, view)) {
      const deadEnd = diskDeadEnd(disk, machine, ages);
      if (deadEnd !== undefined) return deadEnd;
    }
    const virtualMachine = virtualMachineOf(machine, view);
    const engine = engineOfMachine(machine).virtualMachines;
    const refusal = virtualMachine && engine?.refusalOf(virtualMachine);
    if (refusal !== undefined && ages(`${machine.metadata.name}/refused`) >= REFUSAL_GRACE) {
      return {
        code: 'KNEST_INFRASTRUCTURE',
        problem: `the host refuses the pod of machine ${machine.metadata.name}: ${refusal.replace(/\s+/g, ' ').trim()}`,
        evidence: [],
        next: 'ask for smaller machines, or have an administrator change the quota, LimitRange or policy that refuses the pod',
      };
    }
    const isGoing = virtualMachine?.metadata.deletionTimestamp !== undefined;
    if (virtualMachine === undefined || isGoing || engine?.hasEnded(virtualMachine) !== true) continue;
    const pod = engine.podOf(virtualMachine, view.pods);
    if (ages(`${pod?.metadata.name ?? machine.metadata.name}/ended`) < engine.endedGrace) continue;
    const { phase = 'no phase', conditions = [] } = virtualMachine.status ?? {};
    const problem = pod && podProblem(pod);
    return {
      code: 'KNEST_INFRASTRUCTURE',
      problem: `the VM of machine ${machine.metadata.name} has ended (${phase})`,
      evidence: [
        ...(problem === undefined || pod === undefined ? [] : [describePodProblem(pod, problem)]),
        ...conditions.map(
          ({ type, status, reason = '', message = '' }) =>
            `${engine.kind.kind}: ${type} is ${status} (${reason}): ${message}`,
        ),
      ],
      next: `look at the events and the pod of that ${engine.kind.kind} on the host${replacement(machine, view)}`,
    };
  }
  return undefined;
}
