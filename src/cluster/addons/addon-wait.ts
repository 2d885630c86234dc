import { KnestError } from '../../errors.ts';
import type { ClusterResourceSet } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { knownKind, Kinds } from '../../host/api/kinds.ts';
import type { KubernetesObject, Pod } from '../../host/api/objects.ts';
import { watch, watchTarget, watchUntil, type WatchTarget } from '../../host/api/watch.ts';
import { describePodProblem, isMissingImage, podProblem } from '../../host/pods.ts';
import type { StepLog } from '../../report/log.ts';
import { belongingTo, type ClusterHandle } from '../identity/cluster-handle.ts';
import { FirstSeen } from '../status/first-seen.ts';
import { ProgressLog } from '../status/progress.ts';
import { problemOfSet } from '../status/resource-sets.ts';
import { explainUnapplied } from './unapplied.ts';
import { setName } from './resource-set.ts';
import { SetWaker } from './set-waker.ts';
import { AWAITED, podsOf, titleOf, withoutPlace, workloadProblem, workloadsIn } from './workloads.ts';

/** Seconds that a set may stay unapplied without a line: the first try is often too early. */
const SET_GRACE = 5;
/** Seconds that a registry may take back its word that it does not have an image. */
const IMAGE_GRACE = 60;

/** Where add-ons are installed, and what can be waited for. */
export interface AwaitedAddons {
  readonly host: KubernetesClient;
  readonly nested: KubernetesClient;
  readonly cluster: ClusterHandle;
  readonly objects: readonly KubernetesObject[];
  /** Whether pods can run there: not on machines in memory, and not without a CNI. */
  readonly runsPods: boolean;
}

/**
 * Waits until Cluster API has applied the add-ons of a cluster, and until their workloads run and their APIServices answer,
 * a line for each, and at least one a minute. What no node takes is named at once and not waited for. Resolves what became of
 * them, for people. Throws KNEST_IMAGE_PULL for an image that does not exist, and KNEST_TIMEOUT with what is missing.
 */
export async function waitForAddons(addons: AwaitedAddons, log: StepLog, signal: AbortSignal): Promise<string> {
  const { nested, objects, runsPods } = addons;
  const homeless = runsPods ? withoutPlace(objects, await nested.list(Kinds.node)) : [];
  for (const object of homeless) {
    log.line(`${titleOf(object)} cannot run: no worker, and its pods do not tolerate the taint of control planes`);
  }
  const workloads = runsPods ? workloadsIn(objects).filter((object) => !homeless.includes(object)) : [];
  const wait = new AddonWait(addons, workloads, log);
  try {
    await wait.run(signal);
  } catch (thrown) {
    if (!(thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT')) throw thrown;
    throw thrown.with(...(await wait.explain()));
  }
  if (!runsPods) return 'applied';
  return homeless.length === 0 ? 'all run' : `${workloads.length} run, ${homeless.length} cannot`;
}

class AddonWait {
  readonly #addons: AwaitedAddons;
  readonly #workloads: readonly KubernetesObject[];
  readonly #progress: ProgressLog;
  readonly #seen = new FirstSeen();
  /** Whether a line has said that the set is not applied. */
  #isSetTold = false;
  readonly #waker: SetWaker;
  readonly #sets: WatchTarget<ClusterResourceSet>;
  readonly #pods = watchTarget(Kinds.pod, {});
  /** By kind: what the nested cluster has. */
  readonly #found: readonly WatchTarget[];

  constructor(addons: AwaitedAddons, workloads: readonly KubernetesObject[], log: StepLog) {
    const { host, cluster } = addons;
    this.#addons = addons;
    this.#workloads = workloads;
    this.#progress = new ProgressLog((line) => log.line(line));
    this.#waker = new SetWaker(host, cluster);
    this.#sets = watchTarget(Kinds.clusterResourceSet, belongingTo(cluster));
    const kinds = AWAITED.filter((kind) => workloads.some((object) => knownKind(object) === kind));
    this.#found = kinds.map((kind) => watchTarget(kind, {}));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { host, nested } = this.#addons;
    const done = new AbortController();
    const stop = AbortSignal.any([signal, done.signal]);
    const targets = this.#found.length === 0 ? [] : [...this.#found, this.#pods];
    const evaluated = watchUntil(nested, targets, () => this.#evaluate(), stop);
    try {
      await Promise.all([watch(host, this.#sets, () => undefined, stop), evaluated.finally(() => done.abort())]);
    } finally {
      // When one of the two fails, the other one ends too.
      done.abort();
    }
  }

  #evaluate(): true | undefined {
    const set = this.#set();
    const unapplied = set === undefined ? 'does not exist yet' : problemOfSet(set);
    const lacks = this.#lacks();
    this.#report(unapplied, lacks);
    this.#refuseMissingImages();
    if (unapplied === undefined && lacks.size === 0) return true;
    if (set !== undefined && unapplied !== undefined) this.#waker.wake(this.#workloads.length - lacks.size);
    this.#progress.remind(() => this.#missing().join('; '));
    return undefined;
  }

  #report(unapplied: string | undefined, lacks: ReadonlyMap<KubernetesObject, string>): void {
    const lines = new Map<string, string>();
    const set = `resource set ${setName(this.#addons.cluster.name)}`;
    if (unapplied !== undefined && this.#seen.age('set') >= SET_GRACE) {
      lines.set('set', `${set}: ${unapplied}`);
      this.#isSetTold = true;
    }
    // Else the wait for the nodes has said so.
    if (unapplied === undefined && this.#isSetTold) lines.set('set', `${set}: applied to the nested cluster`);
    for (const object of this.#workloads) {
      const title = titleOf(object);
      if (lacks.has(object))
        for (const { pod, problem } of this.#podProblems(object)) {
          lines.set(`${title}/pod/${problem.reason}`, describePodProblem(pod, problem).split('\n')[0] ?? '');
        }
      else lines.set(title, `${title}: available`);
    }
    this.#progress.show(lines);
  }

  #set(): ClusterResourceSet | undefined {
    return [...this.#sets.objects.values()].find(
      ({ metadata }) => metadata.name === setName(this.#addons.cluster.name),
    );
  }

  /** What each workload that does not run lacks. */
  #lacks(): ReadonlyMap<KubernetesObject, string> {
    return new Map(
      this.#workloads.flatMap((object) => {
        const { namespace, name } = object.metadata;
        const target = this.#found.find(({ kind }) => kind === knownKind(object));
        const found = target?.objects.get(namespace === undefined ? name : `${namespace}/${name}`);
        const problem = workloadProblem(object, found);
        return problem === undefined ? [] : [[object, problem]];
      }),
    );
  }

  #podProblems(object: KubernetesObject): readonly { pod: Pod; problem: NonNullable<ReturnType<typeof podProblem>> }[] {
    return podsOf(object, [...this.#pods.objects.values()]).flatMap((pod) => {
      const problem = podProblem(pod);
      return problem === undefined ? [] : [{ pod, problem }];
    });
  }

  #refuseMissingImages(): void {
    for (const object of this.#workloads) {
      for (const { pod, problem } of this.#podProblems(object)) {
        const { kind, container } = problem;
        if (kind !== 'image' || !isMissingImage(problem)) continue;
        if (this.#seen.age(`${pod.metadata.name}/${container?.name ?? ''}`) < IMAGE_GRACE) continue;
        throw new KnestError({
          code: 'KNEST_IMAGE_PULL',
          problem: `the image ${container?.image ?? ''} of ${titleOf(object)} cannot be pulled (not found)`,
          evidence: [describePodProblem(pod, problem)],
          next: 'correct the image in the manifest of the add-on, or let the machines reach a registry that has it',
        });
      }
    }
  }

  /** What is still awaited, a sentence each. */
  #missing(): readonly string[] {
    const set = this.#set();
    const unapplied = set === undefined ? 'does not exist' : problemOfSet(set);
    return [
      ...(unapplied === undefined ? [] : [`resource set ${setName(this.#addons.cluster.name)} ${unapplied}`]),
      ...[...this.#lacks()].map(([object, problem]) => `${titleOf(object)} ${problem}`),
    ];
  }

  /** Why the wait did not end. Never rejects. */
  async explain(): Promise<readonly string[]> {
    const { nested, objects } = this.#addons;
    const set = this.#set();
    const pods = this.#workloads.flatMap((object) =>
      this.#podProblems(object).map(({ pod, problem }) => describePodProblem(pod, problem)),
    );
    const refused = set === undefined || problemOfSet(set) === undefined ? [] : await explainUnapplied(nested, objects);
    return [...this.#missing(), ...pods, ...refused];
  }
}
