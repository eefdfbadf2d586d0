// A body or a payload, of which the server says what it is: JSON, text, or bytes in hex.
import { h, replace } from './dom.js';
import { t } from './i18n.js';
import { bytes, number } from './format.js';
import { copy_button } from './parts.js';
import { pretty, stringify } from './lossless.js';

export const first_bytes = 64 * 1024, most_bytes = 1024 * 1024; // the API gives no more
const most_coloured = 200_000; // characters; beyond, colours cost more than they tell

const token = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** JSON with its tokens coloured. */
export function json_view(text) {
    const code = h('code', {});
    if (text.length > most_coloured) return replace(code, text);
    let at = 0;
    for (const one of text.matchAll(token)) {
        const kind = one[2] ? 'key' : one[1] ? 'string' : /[tfn]/.test(one[0][0]) ? 'word' : 'number';
        const words = one[1] ?? one[0];
        code.append(text.slice(at, one.index), h('span', { class: `json-${kind}` }, words));
        at = one.index + words.length;
    }
    code.append(text.slice(at));
    return code;
}

/** Sixteen bytes a line, as hexdump -C has them. */
export function hex_lines(hex) {
    const lines = [];
    for (let at = 0; at < hex.length; at += 32) {
        const pairs = hex.slice(at, at + 32).match(/../g) ?? [];
        const text = pairs.map((pair) => {
            const code = parseInt(pair, 16);
            return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.';
        }).join('');
        lines.push(`${(at / 2).toString(16).padStart(6, '0')}  ${pairs.join(' ').padEnd(47)}  ${text}`);
    }
    return lines.join('\n');
}

/** `load_more` fetches up to `most_bytes` of it. */
export function payload_view(title, payload, load_more) {
    const held = payload.as === 'hex' ? payload.text.length / 2 : new Blob([payload.text]).size;
    const shown = payload.as === 'json' ? pretty(payload.text) : payload.as === 'hex' ? hex_lines(payload.text) : payload.text;
    const block = h('pre', { class: `payload ${payload.as}`, tabindex: '0', 'aria-label': title },
        payload.as === 'json' ? json_view(shown) : h('code', { dir: payload.as === 'text' ? 'auto' : null }, shown));
    const more = held < most_bytes - 8 ? h('button', { type: 'button', class: 'link', on: { click: load_more } }, t(payload.size <= most_bytes ? 'show_all' : 'show_more')) : null;
    const note = payload.complete ? null : h('p', { class: 'note' }, t('only_first', bytes(held)), ' ', more);
    return h('section', { class: 'block' },
        h('header', {}, h('h3', {}, title),
            h('span', { class: 'muted' }, `${payload.as.toUpperCase()} · ${number(payload.size)} B`),
            copy_button(() => (payload.as === 'json' ? shown : payload.text))),
        payload.size === 0 ? h('p', { class: 'muted' }, t('empty_body')) : block, note);
}

/** Headers or properties: a JSON text, an object, or null. */
export function json_block(title, value) {
    if (value === null || value === undefined) return null;
    const text = typeof value === 'string' ? pretty(value) : stringify(value, 2);
    return h('section', { class: 'block' }, h('header', {}, h('h3', {}, title), copy_button(() => text)),
        h('pre', { class: 'payload json', tabindex: '0', 'aria-label': title }, json_view(text)));
}
