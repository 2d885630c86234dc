/** A map of a kubeconfig, with its path. */
export interface Fields {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The base64 that Go decodes: padded, and broken into lines at will. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads the fields of a kubeconfig by type and keeps every problem, named by the path of the field: never by its value,
 * which may be a secret. A field that is not set is blank, empty or false.
 */
export class FieldReader {
  readonly problems: string[] = [];

  /** Notes that something cannot be used. */
  problem(problem: string): void {
    this.problems.push(problem);
  }

  /** The outermost map; an empty document is an empty one. */
  root(value: unknown): Fields {
    return this.#asFields(value, '', 'it is not a map of fields');
  }

  text({ path, values }: Fields, field: string): string {
    const value = values[field] ?? '';
    if (typeof value === 'string') return value;
    this.problem(`${at(path, field)} is not text: put it in quotes`);
    return '';
  }

  flag({ path, values }: Fields, field: string): boolean {
    const value = values[field] ?? false;
    if (typeof value === 'boolean') return value;
    this.problem(`${at(path, field)} is not true or false`);
    return false;
  }

  /** Base64, without line breaks. */
  data(fields: Fields, field: string): string {
    const text = this.text(fields, field).replace(/[\r\n]/g, '');
    if (BASE64.test(text)) return text;
    this.problem(`${at(fields.path, field)} is not base64`);
    return '';
  }

  texts(fields: Fields, field: string): readonly string[] {
    const place = at(fields.path, field);
    return this.#items(fields, field).map((value, index) =>
      this.text({ path: place, values: { [index]: value } }, `${index}`),
    );
  }

  list(fields: Fields, field: string): readonly Fields[] {
    return this.#items(fields, field).map((value, index) => {
      const path = `${at(fields.path, field)}[${index}]`;
      return this.#asFields(value, path, `${path} is not a map of fields`);
    });
  }

  fields(fields: Fields, field: string): Fields {
    const path = at(fields.path, field);
    return this.#asFields(fields.values[field], path, `${path} is not a map of fields`);
  }

  optionalFields(fields: Fields, field: string): Fields | undefined {
    return isUnset(fields.values[field]) ? undefined : this.fields(fields, field);
  }

  map<T>(fields: Fields, field: string, read: (fields: Fields, key: string) => T): ReadonlyMap<string, T> {
    const inner = this.fields(fields, field);
    return new Map(Object.keys(inner.values).map((key) => [key, read(inner, key)]));
  }

  /** What an extension of that name holds; undefined when there is none. */
  extension(fields: Fields, name: string): unknown {
    return this.list(fields, 'extensions').find(({ values }) => values['name'] === name)?.values['extension'];
  }

  #items({ path, values }: Fields, field: string): readonly unknown[] {
    const value = values[field];
    if (isUnset(value)) return [];
    if (Array.isArray(value)) return value as readonly unknown[];
    this.problem(`${at(path, field)} is not a list`);
    return [];
  }

  #asFields(value: unknown, path: string, problem: string): Fields {
    if (isUnset(value)) return { path, values: {} };
    if (typeof value === 'object' && !Array.isArray(value)) {
      return { path, values: value as Fields['values'] };
    }
    this.problem(problem);
    return { path, values: {} };
  }
}

function isUnset(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function at(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}
