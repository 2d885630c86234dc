/** How many machines of each role; undefined: as many as there are. */
export interface Replicas {
  readonly controlPlane: number | undefined;
  readonly workers: number | undefined;
}

const MOST_CONTROL_PLANES = 9;
const MOST_WORKERS = 1000;

/** Parses `3:2` (`CP:WORKER`, either side blank). Returns what is wrong with a text that is none, and what would be right. */
export function parseReplicas(text: string): Replicas | { readonly problem: string } {
  const match = /^(\d{0,4}):(\d{0,4})$/.exec(text);
  if (match === null || text === ':') return { problem: `"${text}" is no CP:WORKER; for example 3:2, 3: or :2` };
  const [controlPlane, workers] = match.slice(1).map((side) => (side === '' ? undefined : Number(side)));
  if (controlPlane !== undefined && (controlPlane % 2 === 0 || controlPlane > MOST_CONTROL_PLANES)) {
    return { problem: `${controlPlane} control planes: etcd needs an odd number from 1 to ${MOST_CONTROL_PLANES}` };
  }
  if (workers !== undefined && workers > MOST_WORKERS)
    return { problem: `${workers} workers: at most ${MOST_WORKERS}` };
  return { controlPlane, workers };
}
