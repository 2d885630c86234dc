import fc, { type Arbitrary } from 'fast-check';

/** Part of a kubeconfig. */
export type Fields = Readonly<Record<string, unknown>>;

/** The base64 of a text, as kubeconfigs have it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** One of several values, the first of which is far more frequent. */
export function mostly<T>(usual: T, ...others: readonly T[]): Arbitrary<T> {
  return fc.oneof(
    { weight: 24, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(usual, ...others) },
  );
}

/** Fields that are all there, of which each may be left out: rarely what is needed, often what is not. */
export function some(fields: Readonly<Record<string, Arbitrary<unknown>>>, weight = 1): Arbitrary<Fields> {
  const optional = Object.entries(fields).map(([name, values]) =>
    fc.oneof(
      { weight: 8, arbitrary: fc.constant({}) },
      { weight, arbitrary: values.map((value) => ({ [name]: value })) },
    ),
  );
  return fc.tuple(...optional).map((parts) => Object.assign({}, ...parts) as Fields);
}

export function union(...parts: readonly Arbitrary<Fields>[]): Arbitrary<Fields> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Fields);
}

/** What kubectl ignores. */
export const extensions = fc.constant([{ name: 'example.com/note', extension: { a: 1 } }]);

/** What the cases need of the files that are there. */
export interface Pki {
  readonly root: string;
  readonly authority: string;
  readonly otherAuthority: string;
  readonly intermediate: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/** Paths of one file: absolute, and relative to the directory of a kubeconfig at the depth that all have. */
export function pathsOf(root: string, file: string): readonly string[] {
  return [`${root}/${file}`, `../../../${file}`, `./../../../${file}`];
}
