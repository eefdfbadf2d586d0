import { h, replace } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { bytes, number, time } from './format.js';
import { get_exactly, is_aborted, path } from './api.js';
import { address } from './router.js';
import { change_entries } from './bulk.js';
import { copy_button, destination, fields, operator_button, when } from './parts.js';
import { first_bytes, json_block, most_bytes, payload_view } from './payload.js';
import { words_of } from './toast.js';

/** Shows an entry of the ledger in `host`; `changed` is called when something was done to it, `gone` when it was deleted. */
export function entry_detail(id, { host, close, changed, gone }) {
    const loading = new AbortController();
    const head = () => h('header', { class: 'drawer-head' },
        h('div', { class: 'drawer-title' }, h('h2', {}, `${t('entry')} ${id}`)),
        h('button', { type: 'button', class: 'quiet icon-only', 'aria-label': t('close'), on: { click: close } }, icon('close')));

    async function retry() { if (await change_entries('retry', [id])) changed(); }
    async function drop() { if (await change_entries('delete', [id])) gone(); }

    function show(one) {
        replace(host, head(), h('div', { class: 'drawer-body' },
            h('div', { class: 'actions' }, operator_button({ label: t('retry'), name: 'retry', action: retry }),
                operator_button({ label: t('delete'), name: 'trash', kind: 'quiet-danger', action: drop })),
            h('div', { class: 'error-box' }, h('strong', {}, t('reason')), h('p', { class: 'break' }, h('bdi', {}, one.reason))),
            fields([
                [t('side'), t(`side_${one.side}`)],
                [t('message'), h('span', {}, h('a', { class: 'mono break', href: address('messages', { open: one.message_id }) }, h('bdi', {}, one.message_id)),
                    ' ', copy_button(() => one.message_id, t('copy_id')))],
                [t('destination'), destination(one.exchange, one.routing_key)],
                one.key ? [t('order_key'), h('bdi', { class: 'mono break' }, one.key)] : null,
                one.message_created ? [t('created'), String(one.message_created)] : null,
                [t('filed'), one.filed === null ? null : [time(one.filed), ' ', h('span', { class: 'muted' }, '(', when(one.filed), ')')]],
                [t('retries'), one.retries ? t(one.last_retry_succeeded ? 'retries_done' : 'retries_not_done', number(one.retries)) : '0'],
                [t('body'), bytes(one.payload_size)],
            ]),
            json_block(t('headers'), one.headers),
            payload_view(t('body'), one.payload, () => load(most_bytes))));
    }

    async function load(payload_bytes) {
        host.setAttribute('aria-busy', 'true');
        try {
            show(await get_exactly(path('failures', id), { payload_bytes }, loading.signal));
        } catch (error) {
            if (is_aborted(error)) return;
            replace(host, head(), h('div', { class: 'drawer-body' }, h('p', { class: 'trouble', role: 'alert' }, error.status === 404 ? t('entry_gone') : words_of(error))));
        }
        host.removeAttribute('aria-busy');
    }

    if (host.dataset.id !== id) replace(host, head());
    host.dataset.id = id;
    load(first_bytes);
    return { dispose: () => loading.abort() };
}
