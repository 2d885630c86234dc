import { parseDocument, Scalar, visit, type Document } from 'yaml';

/**
 * The value of a YAML document. Throws an error with the place where the text is wrong, but never quotes it, as the
 * parser's own messages and warnings do: the text may hold a secret.
 */
export function parseYaml(text: string): unknown {
  return valueOf(parseDocument(text, { logLevel: 'silent' }));
}

/** The same with every scalar as it is written: 0123 is neither 83 nor 123, and null is four letters. */
export function parseYamlTexts(text: string): unknown {
  return valueOf(parseTexts(text));
}

/**
 * The same as kubectl reads it: YAML 1.1, where `yes` is true and 012 a number, but dates are text and of two entries
 * with the same name the last counts. Source: go.yaml.in/yaml/v2 resolve.go.
 */
export function parseGoYaml(text: string): unknown {
  const document = parseTexts(text);
  visit(document, {
    Scalar(key, node) {
      const isPlain = node.type === Scalar.PLAIN && node.tag === undefined;
      if (key !== 'key' && isPlain && typeof node.value === 'string') node.value = resolve(node.value);
    },
  });
  return valueOf(document);
}

function parseTexts(text: string): Document.Parsed {
  return parseDocument(text, { logLevel: 'silent', schema: 'failsafe', merge: true, uniqueKeys: false });
}

/** A plain scalar. */
function resolve(text: string): unknown {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:[yY]|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
  if (/^(?:[nN]|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false;
  return numberOf(text) ?? text;
}

function numberOf(text: string): number | undefined {
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  const [, sign = '', digits = ''] =
    /^([-+]?)(.*)$/s.exec(/^[-+\d]/.test(text) ? text.replaceAll('_', '') : text) ?? [];
  const size = sizeOf(digits.toLowerCase());
  return size === undefined || sign !== '-' ? size : -size;
}

function sizeOf(digits: string): number | undefined {
  if (/^0o?[0-7]+$/.test(digits)) return Number.parseInt(digits.replace(/^0o?/, ''), 8);
  const isSize = /^(?:0x[\da-f]+|0b[01]+|(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?)$/.test(digits);
  return isSize ? Number(digits) : undefined;
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
