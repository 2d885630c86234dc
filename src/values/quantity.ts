/** Bytes in a MiB. */
export const MEBIBYTE = 2 ** 20;

const QUANTITY = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$/;
const FACTOR: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: MEBIBYTE,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/**
 * The bytes of a Kubernetes quantity such as `4Gi` or `512M`; undefined when it is none.
 * The exponent and milli forms are left out: nobody means them for memory or a disk.
 * Source: k8s.io/apimachinery/pkg/api/resource/quantity.go.
 */
export function parseBytes(text: string): number | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === undefined ? 1 : (FACTOR[match[2]] ?? Number.NaN));
}

/** The quantity that was probably meant by an invalid size, for example `4Gi` for `4GB`; undefined when unclear. */
export function suggestQuantity(text: string): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp])(i?)b?\s*$/i.exec(text);
  if (match === null) return undefined;
  const [, amount = '', unit = '', binary] = match;
  const letter = unit.toUpperCase();
  if (binary !== '') return `"${amount}${letter}i"`;
  return `"${amount}${letter}i" or "${amount}${letter === 'K' ? 'k' : letter}"`;
}

/** Thousandths of a core in a Kubernetes quantity such as `2`, `1.5` or `1930m`; undefined when it is none. */
export function parseMilliCpu(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (match[2] === 'm' ? 1 : 1000);
}
