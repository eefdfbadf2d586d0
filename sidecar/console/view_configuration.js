import { h, replace } from './dom.js';
import { t } from './i18n.js';
import { get, is_aborted } from './api.js';
import { copy_button } from './parts.js';
import { Exact, stringify } from './lossless.js';
import { words_of } from './toast.js';

const is_leaf = (value) => value === null || typeof value !== 'object' || value instanceof Exact;

function leaf(value) {
    if (value === null || value === '') return h('span', { class: 'muted' }, t('not_set'));
    if (typeof value === 'boolean') return h('code', { class: 'json-word' }, String(value));
    if (typeof value === 'number' || value instanceof Exact) return h('code', { class: 'json-number' }, String(value));
    return h('code', {}, h('bdi', {}, value));
}

function tree(value) {
    if (is_leaf(value)) return leaf(value);
    const entries = Object.entries(value);
    if (!entries.length) return h('span', { class: 'muted' }, t('none'));
    if (Array.isArray(value)) return h('ol', { class: 'tree-list' }, value.map((one) => h('li', {}, tree(one))));
    return h('dl', { class: 'tree' }, entries.map(([name, one]) =>
        h('div', { class: is_leaf(one) ? 'leaf' : 'branch' }, h('dt', {}, name), h('dd', {}, tree(one)))));
}

export function configuration_view(root) {
    const loading = new AbortController();
    let sections = [];
    const filter = h('input', { type: 'search', 'aria-label': t('filter_configuration'), placeholder: t('filter_configuration'), on: { input: narrow } });
    const body = h('div', { class: 'stack' });
    replace(root, body);

    // Shows only the settings whose name or value holds the text.
    function narrow() {
        const wanted = filter.value.trim().toLowerCase();
        for (const section of sections) {
            const in_name = section.dataset.name.toLowerCase().includes(wanted);
            let any = in_name;
            for (const line of section.querySelectorAll('.leaf')) {
                line.hidden = !in_name && !line.textContent.toLowerCase().includes(wanted);
                any ||= !line.hidden;
            }
            section.hidden = !any;
        }
    }

    async function load() {
        try {
            const all = await get('configuration', {}, loading.signal);
            const shown = Object.entries(all).filter(([, value]) => !is_leaf(value));
            const plain = Object.fromEntries(Object.entries(all).filter(([, value]) => is_leaf(value)));
            if (Object.keys(plain).length) shown.unshift(['', plain]);
            sections = shown.map(([name, value]) => h('section', { class: 'card scroll-x', data: { name } }, name ? h('h2', { class: 'mono' }, name) : null, tree(value)));
            replace(body, h('div', { class: 'list-head' }, filter, h('span', { class: 'muted' }, t('masked')), h('span', { class: 'list-actions' }, copy_button(() => stringify(all, 2), t('copy_json')))),
                h('div', { class: 'settings' }, sections));
            narrow();
        } catch (error) {
            if (!is_aborted(error)) replace(body, h('p', { class: 'trouble', role: 'alert' }, words_of(error), ' ', h('button', { type: 'button', class: 'link', on: { click: load } }, t('try_again'))));
        }
    }

    load();
    return { update() {}, refresh: load, dispose: () => loading.abort(), keys: { '/': () => filter.focus(), u: load } };
}
