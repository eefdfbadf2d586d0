import { h, replace } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { bytes, number, time } from './format.js';
import { get_exactly, is_aborted, path } from './api.js';
import { address } from './router.js';
import { change_messages } from './bulk.js';
import { copy_button, destination, fields, operator_button, status_badge, when } from './parts.js';
import { first_bytes, json_block, most_bytes, payload_view } from './payload.js';
import { edit_and_resend } from './resend.js';
import { words_of } from './toast.js';

const at = (ms) => (ms === null || ms === undefined ? null : [time(ms), ' ', h('span', { class: 'muted' }, '(', when(ms), ')')]);

function timeline(entries) {
    if (!entries?.length) return null;
    return h('section', { class: 'block' }, h('header', {}, h('h3', {}, t('timeline'))),
        h('ol', { class: 'timeline' }, entries.map((one) =>
            h('li', { class: `what-${one.what.replace(' ', '_')}` }, h('div', {}, h('strong', {}, t('timeline_what', one.what.replace(' ', '_'))), ' ', when(one.time)),
                one.detail ? h('p', { class: 'break' }, h('bdi', {}, one.detail)) : null))));
}

function failures_of(entries) {
    if (!entries?.length) return null;
    return h('section', { class: 'block' }, h('header', {}, h('h3', {}, t('ledger_entries_of_message'))),
        h('ul', { class: 'plain-list' }, entries.map((one) => h('li', {},
            h('a', { href: address('failures', { by: 'entries', message_id: one.message_id, open: String(one.entry) }) }, `${t('entry')} ${one.entry}`),
            ' ', when(one.filed), h('p', { class: 'break' }, h('bdi', {}, one.reason))))));
}

/** Shows a message in `host`; `changed` is called when something was done to it, `gone` when it was deleted. */
export function message_detail(id, { host, close, changed, gone }) {
    const loading = new AbortController();
    const head = (badge) => h('header', { class: 'drawer-head' },
        h('div', { class: 'drawer-title' }, h('h2', { class: 'mono break' }, h('bdi', {}, id)), badge),
        copy_button(() => id, t('copy_id')),
        h('button', { type: 'button', class: 'quiet icon-only', 'aria-label': t('close'), on: { click: close } }, icon('close')));

    const retry = async () => { if (await change_messages('retry', [id])) changed(); };
    const drop = async () => { if (await change_messages('delete', [id])) gone(); };

    function actions(one) {
        return h('div', { class: 'actions' },
            operator_button({ label: t('retry'), name: 'retry', action: retry }),
            one.status === 2 ? operator_button({ label: t('edit_and_resend'), name: 'edit', action: async () => {
                if (await edit_and_resend(one)) changed();
            } }) : null,
            operator_button({ label: t('delete'), name: 'trash', kind: 'quiet-danger', action: drop }));
    }

    function show(one) {
        replace(host, head(status_badge(one.status)), h('div', { class: 'drawer-body' }, actions(one),
            one.last_error ? h('div', { class: 'error-box' }, h('strong', {}, t('last_error')), h('p', { class: 'break' }, h('bdi', {}, one.last_error))) : null,
            fields([
                [t('destination'), destination(one.exchange, one.routing_key)],
                [t('tries'), number(one.try_count)],
                one.status === 0 ? [t('next_try'), one.next_try_time ? at(one.next_try_time) : t('now')] : null,
                [t('created'), at(one.create_time)],
                [t('changed'), at(one.update_time)],
                one.order_key ? [t('order_key'), h('bdi', { class: 'mono break' }, one.order_key)] : null,
                [t('body'), bytes(one.body_size)],
            ]),
            timeline(one.timeline),
            json_block(t('headers'), one.headers), json_block(t('properties'), one.properties),
            payload_view(t('body'), one.body, () => load(most_bytes)),
            failures_of(one.failures)));
    }

    async function load(body_bytes) {
        host.setAttribute('aria-busy', 'true');
        try {
            show(await get_exactly(path('messages', id), { body_bytes }, loading.signal));
        } catch (error) {
            if (is_aborted(error)) return;
            replace(host, head(), h('div', { class: 'drawer-body' }, h('p', { class: 'trouble', role: 'alert' }, error.status === 404 ? t('message_gone') : words_of(error))));
        }
        host.removeAttribute('aria-busy');
    }

    if (host.dataset.id !== id) replace(host, head());
    host.dataset.id = id;
    load(first_bytes).catch((error) => replace(host, head(), h('p', { class: 'trouble', role: 'alert' }, words_of(error))));
    return { dispose: () => loading.abort() };
}
