const LONGEST = 200;

/**
 * File names for texts of others, in their order: each stays within its directory, can be made on every file system,
 * and differs from the others also where case does not count.
 */
export function fileNames(texts: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const plain = text.replace(/[^a-zA-Z0-9._-]/g, '_').replace(/^\.+/, '_');
    const name = distinct(plain === '' ? '_' : plain, taken);
    taken.add(name.toLowerCase());
    return name;
  });
}

function distinct(plain: string, taken: ReadonlySet<string>): string {
  const [, stem = '', extension = ''] = /^(.+?)(\.[a-z]{1,8})?$/.exec(plain) ?? [];
  for (let number = 1; ; number++) {
    const name = stem.slice(0, LONGEST) + (number === 1 ? '' : `-${number}`) + extension;
    if (!taken.has(name.toLowerCase())) return name;
  }
}
