// JSON whose numbers survive: ids and headers may hold 64-bit integers, which JSON.parse would round.

/** A number that JavaScript can't hold as it was written. */
export class Exact {
    constructor(text) { this.text = text; }
    toString() { return this.text; }
    toJSON() { return this.text; }
}

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
// Unknown to whoever wrote the data, so that no text of theirs is taken for a number.
const mark = `exact:${crypto.getRandomValues(new Uint32Array(4)).join('-')}:`;

const is_rounded = (one) => /^-?\d+$/.test(one) && !Number.isSafeInteger(Number(one));
const is_rewritten = (one) => String(Number(one)) !== one;

/** With `exactly`, 1.0 and 1e3 stay as they are written, too; else only what would be another number. */
export function parse(text, exactly = false) {
    const is_lost = exactly ? is_rewritten : is_rounded;
    const marked = text.replace(token, (one) => (one[0] !== '"' && is_lost(one) ? `"${mark}${one}"` : one));
    return JSON.parse(marked, (key, value) =>
        typeof value === 'string' && value.startsWith(mark) ? new Exact(value.slice(mark.length)) : value);
}

/** As JSON.stringify with an indent of two, or without any if that is 0. */
export function stringify(value, indent = 0, before = '') {
    if (value instanceof Exact) return value.text;
    if (value === undefined) return 'null';
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    const inner = before + ' '.repeat(indent);
    const parts = Array.isArray(value)
        ? value.map((one) => stringify(one, indent, inner))
        : Object.entries(value).filter(([, one]) => one !== undefined)
            .map(([key, one]) => `${JSON.stringify(key)}:${indent ? ' ' : ''}${stringify(one, indent, inner)}`);
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    if (!parts.length) return open + close;
    return indent ? `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${before}${close}` : open + parts.join(',') + close;
}

/** The same document with line breaks; the text as it is if it is no JSON. */
export function pretty(text) {
    try {
        return stringify(parse(text, true), 2);
    } catch {
        return text;
    }
}

/** Why it is no JSON; null if it is. */
export function complaint(text) {
    try {
        JSON.parse(text);
        return null;
    } catch (error) {
        return error.message;
    }
}
