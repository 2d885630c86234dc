import { parseDocument, type Document } from 'yaml';

/**
 * The value of a YAML document. Throws an error that says where the text is wrong, but never quotes it, as the
 * parser's own messages and warnings do: the text may hold a secret.
 */
export function parseYaml(text: string): unknown {
  return valueOf(parseDocument(text, { logLevel: 'silent' }));
}

/** The same with every scalar as it is written: 0123 is neither 83 nor 123, and null is four letters. */
export function parseYamlTexts(text: string): unknown {
  return valueOf(parseDocument(text, { logLevel: 'silent', schema: 'failsafe' }));
}

function valueOf(document: Document.Parsed): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    const [start] = error.linePos ?? [];
    throw new Error(`not valid YAML${start === undefined ? '' : ` in line ${start.line}`} (${error.code})`);
  }
  try {
    return document.toJS() as unknown;
  } catch {
    // An alias to nothing, or aliases that multiply.
    throw new Error('not valid YAML (aliases cannot be resolved)');
  }
}
