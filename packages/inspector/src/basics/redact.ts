/** Says what is shown in place of a value: the value itself, or something else. */
export type Redact = (path: string, value: unknown) => unknown;

/** What stands for a value that is hidden. */
export const hidden = '•••';

const secretName = /passw|passphrase|token|secret|authorization|cookie|credential|api[-_]?key|private[-_]?key/i;
/** A compass is none. */
const passName = /(?:^|[-_])pass$|[a-z]Pass$/;
/** In texts such as messages: what stands behind such a name, and what a header would carry. */
const secretText =
  /\b((?:pass(?:word|wd|phrase)?|\w*token|\w*secret|authorization|cookie|credentials?|api[-_]?key|private[-_]?key)["']?\s*[=:]\s*["']?)(?:(?:bearer|basic)\s+)?[^\s"',;&)}\]]+/gi;
const bearer = /\b(bearer|basic)\s+[\w.~+/-]+=*/gi;

/** Hides what is named as secrets are, and secrets of such names in texts. */
export function redactByDefault(path: string, value: unknown): unknown {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (secretName.test(name) || passName.test(name)) return hidden;
  if (typeof value !== 'string') return value;
  return value.replace(secretText, `$1${hidden}`).replace(bearer, `$1 ${hidden}`);
}

/** What a redact function makes of it; hidden if it throws, or answers later. */
export function redacted(redact: Redact, path: string, value: unknown): unknown {
  try {
    const shown = redact(path, value);
    if (shown instanceof Promise) {
      shown.catch(() => undefined);
      return hidden;
    }
    return shown;
  } catch {
    return hidden;
  }
}

/** A text, as far as it may be shown. */
export function redactedText(redact: Redact, path: string, text: string): string {
  const shown = redacted(redact, path, text);
  return typeof shown === 'string' ? shown : hidden;
}
