// Small parts that several views show alike.
import { h } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { age, dash, time } from './format.js';
import { is_operator } from './api.js';
import { toast } from './toast.js';

const known = { 0: 'delivering', 1: 'delivered', 2: 'failed', 3: 'consumed' };

export const status_words = (status) => (known[status] ? t(known[status]) : t('status_other', status));

export const status_badge = (status) =>
    h('span', { class: `badge ${known[status] ?? 'other'}` }, h('i', { 'aria-hidden': 'true' }), status_words(status));

/** '' is the default exchange, which needs a name to be seen. */
export const exchange_name = (exchange) =>
    exchange === '' ? h('em', { class: 'muted' }, t('default_exchange')) : h('bdi', {}, exchange);

export const destination = (exchange, key) =>
    h('span', { class: 'destination' }, exchange_name(exchange), h('span', { class: 'arrow', 'aria-label': t('with_key') }, ' → '),
        key === '' ? h('em', { class: 'muted' }, t('no_key')) : h('bdi', {}, key));

export const when = (ms) =>
    ms === null || ms === undefined ? h('span', { class: 'muted' }, dash)
        : h('time', { title: time(ms), datetime: Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : null }, age(ms));

export function copy_button(text, label = t('copy')) {
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text());
        } catch {
            by_selection(text()); // without TLS there is no clipboard but that of the selection
        }
        toast(t('copied'));
    };
    return h('button', { type: 'button', class: 'quiet', on: { click: copy } }, icon('copy'), label);
}

function by_selection(text) {
    const field = h('textarea', { class: 'offscreen', readonly: true, value: text });
    (document.querySelector('dialog[open]') ?? document.body).append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
}

/** For what only operators may do: there for all, at hand for them. */
export function operator_button({ label, name, action, kind = '', described }) {
    const allowed = is_operator();
    return h('button', {
        type: 'button', class: kind, disabled: !allowed, title: allowed ? described : t('operators_only'), on: { click: action },
    }, name ? icon(name) : null, label);
}

export const empty = (title, hint) => h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), hint ? h('p', {}, hint) : null);

export const fields = (pairs) =>
    h('dl', { class: 'fields' }, pairs.filter(Boolean).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value ?? dash)]));
