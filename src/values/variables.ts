/** Variables by name. */
export type Variables = Readonly<Record<string, string>>;

const NAME = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;
/** What `\n` and its like stand for between double quotes; any other character after a backslash stands for itself. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Parses lines `NAME=value` as dotenv files have them. A value between quotes may have several lines; between double
 * quotes a backslash escapes. Without quotes it ends with its line. Blank lines and those that begin with `#` are left
 * out. Returns all problems when there are any, with the number of the line and without its text, which may be a secret.
 */
export function parseVariables(text: string): { readonly variables: Variables } | { readonly problems: string[] } {
  const variables = new Map<string, string>();
  const problems: string[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const problem = (what: string): number => problems.push(`line ${at + 1} ${what}`);
    const [assignment, name] = NAME.exec(line) ?? [];
    if (assignment === undefined || name === undefined) {
      problem('is not NAME=value; put quotes around a multi-line value');
      continue;
    }
    if (variables.has(name)) problem(`sets ${name} again`);
    const value = valueAt([line.slice(assignment.length), ...lines.slice(at + 1)]);
    if ('problem' in value) problem(value.problem);
    variables.set(name, 'problem' in value ? '' : value.text);
    at += value.lines - 1;
  }
  return problems.length > 0 ? { problems } : { variables: Object.fromEntries(variables) };
}

/** The value that these lines begin with, and how many of them it takes. */
function valueAt(
  lines: readonly string[],
): { readonly text: string; readonly lines: number } | { readonly problem: string; readonly lines: number } {
  const [first = ''] = lines;
  const quote = first.charAt(0);
  if (quote !== '"' && quote !== "'") return unquoted(first.trimEnd());
  const text = lines.join('\n');
  const quoted = quote === '"' ? /^"((?:[^"\\]|\\[\s\S])*)"([^\n]*)/.exec(text) : /^'([^']*)'([^\n]*)/.exec(text);
  if (quoted === null) return { problem: `has no closing ${quote}`, lines: lines.length };
  const [whole, inner = '', rest = ''] = quoted;
  const taken = whole.split('\n').length;
  if (!/^\s*(?:#.*)?$/.test(rest)) return { problem: 'has text after its closing quote', lines: taken };
  return { text: quote === '"' ? unescaped(inner) : inner, lines: taken };
}

/** Where some take ` #` for the beginning of a comment and others for a part of the value, quotes have to say which. */
function unquoted(
  text: string,
): { readonly text: string; readonly lines: 1 } | { readonly problem: string; readonly lines: 1 } {
  if (/\s#/.test(text)) return { problem: 'has a # after a space; put quotes around the value', lines: 1 };
  return { text, lines: 1 };
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (_whole, character: string) => ESCAPES[character] ?? character);
}
