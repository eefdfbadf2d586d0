// One key, or g and a letter. Not while something is typed, and not over a dialog.
import { h } from './dom.js';
import { t } from './i18n.js';
import { any_open, show } from './dialog.js';

const patience = 1200; // ms between g and its letter
const places = { o: 'overview', m: 'messages', f: 'failures', d: 'dead-letters', r: 'lanes', c: 'configuration' };

const is_typing = (target) => target.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null;

/** view_keys() gives those of the present view, by key; go(view) shows another. */
export function listen(view_keys, go, signal) {
    let g_at = 0;
    document.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || any_open()) return;
        const { key, target } = event;
        if (is_typing(target)) {
            if (key === 'Escape') target.blur();
            return;
        }
        if (key === 'Enter' && target.closest?.('a, button, input')) return;
        let action = null;
        if (Date.now() - g_at < patience && places[key]) action = () => go(places[key]);
        else if (key === '?') action = show_help;
        else action = view_keys()[key];
        g_at = key === 'g' ? Date.now() : 0;
        if (!action) return;
        event.preventDefault();
        action();
    }, { signal });
}

const line = ([keys, words]) => h('div', {}, h('dt', {}, keys.map((one, i) => [i ? ' ' : null, h('kbd', {}, one)])), h('dd', {}, words));

export function show_help() {
    show({
        title: t('keys_title'),
        content: h('dl', { class: 'keys' }, [
            ...Object.entries(places).map(([key, view]) => [['g', key], t(view.replace('-', '_'))]),
            [['/'], t('key_filter')], [['j'], t('key_down')], [['k'], t('key_up')], [['x'], t('key_select')], [['Enter'], t('key_open')],
            [['Esc'], t('key_close')], [['u'], t('key_reload')], [['[', ']'], t('key_tabs')], [['?'], t('key_help')],
        ].map(line)),
    });
}
