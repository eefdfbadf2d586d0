import { h, replace } from './dom.js';
import { t } from './i18n.js';
import { bytes, number } from './format.js';
import { address, go } from './router.js';
import { change_entries, change_matching, objection_to_matching } from './bulk.js';
import { destination, empty, when } from './parts.js';
import { entry_detail } from './detail_entry.js';
import { groups_view } from './groups.js';
import { paged_view } from './paged.js';

const fields = () => [
    { kind: 'select', name: 'side', label: t('side'), options: [['', t('any')], ['producer', t('side_producer')], ['consumer', t('side_consumer')]] },
    { kind: 'text', name: 'exchange', label: t('exchange') },
    { kind: 'text', name: 'routing_key', label: t('routing_key') },
    { kind: 'text', name: 'reason', label: t('filter_reason') },
    { kind: 'text', name: 'message_id', label: t('message') },
    { kind: 'time', name: 'since', label: t('filter_filed_since') },
    { kind: 'time', name: 'before_time', label: t('filter_filed_before') },
];

const columns = () => [
    { name: 'entry', label: t('entry'), cell: (row) => h('span', { class: 'mono' }, String(row.entry)) },
    { name: 'side', label: t('side'), cell: (row) => t(`side_${row.side}`) },
    { name: 'id', label: t('message'), cell: (row) => h('bdi', { class: 'mono', title: row.message_id }, row.message_id) },
    { name: 'destination', label: t('destination'), cell: (row) => destination(row.exchange, row.routing_key) },
    { name: 'error', label: t('reason'), cell: (row) => h('bdi', { title: row.reason }, row.reason) },
    { name: 'tries', label: t('retries'), cell: (row) => (row.retries ? number(row.retries) : h('span', { class: 'muted' }, '0')) },
    { name: 'size', label: t('size'), cell: (row) => bytes(row.payload_size) },
    { name: 'time', label: t('filed'), cell: (row) => when(row.filed) },
];

const message_groups = (root) => groups_view(root, {
    path: 'messages/groups', query: { status: 2 }, label: t('by_messages'),
    count: (one) => one.rows, reason: (one) => one.error, times: (one) => [one.oldest_update_time, one.latest_update_time],
    href: (one) => address('messages', message_filter(one)),
    act: ['retry', 'delete'].map((verb) => ({ verb, run: (one) => change_matching('messages', verb, message_filter(one), one.error === null || one.error === '' ? { note: t('any_reason_note') } : {}) })),
    none: empty(t('nothing_failed'), t('nothing_failed_hint')),
});

// A long reason is cut, and says so.
const uncut = (reason) => reason?.replace(/…$/, '');

const message_filter = (one) => ({ status: '2', exchange: one.exchange, error: uncut(one.error) });

const ledger_groups = (root) => groups_view(root, {
    path: 'failures/groups', query: {}, side: true, label: t('by_ledger'),
    count: (one) => one.entries, reason: (one) => one.reason, times: (one) => [one.oldest, one.latest],
    href: (one) => address('failures', { by: 'entries', ...ledger_filter(one) }),
    act: ['retry', 'delete'].map((verb) => ({ verb, run: (one) => change_matching('failures', verb, ledger_filter(one)) })),
    none: empty(t('no_entries'), t('no_entries_hint')),
});

// Of a dead letter the group's reason leaves out what lies between how it died and what is known beyond that: a part of
// the reason is only the former.
const part_of = (reason) => /^.*? in queue '.*?'(?=: |$)/.exec(reason)?.[0] ?? reason;

const ledger_filter = (one) => ({ side: one.side, exchange: one.exchange, reason: (one.side === 'consumer' ? part_of(uncut(one.reason)) : uncut(one.reason)) || null });

const ledger_entries = (root) => paged_view(root, {
    view: 'failures', path: 'failures', label: t('by_entries'),
    rows: (answer) => answer.entries, id: (row) => row.entry,
    fields: fields(), columns: columns(), detail: entry_detail,
    selection: ['retry', 'delete'].map((verb) => ({ verb, run: (ids) => change_entries(verb, ids) })),
    matching: ['retry', 'delete'].map((verb) => ({
        verb, objection: (filter) => objection_to_matching('failures', verb, filter), run: (filter) => change_matching('failures', verb, filter),
    })),
    none: (filtered) => (filtered ? empty(t('nothing_matches'), t('nothing_matches_hint')) : empty(t('no_entries'), t('no_entries_hint'))),
});

const tabs = { messages: message_groups, ledger: ledger_groups, entries: ledger_entries };

export function failures_view(root) {
    const links = Object.keys(tabs).map((name) => h('a', { href: address('failures', { by: name }), data: { tab: name } }, t(`by_${name}`)));
    const host = h('div', { class: 'tab-body' });
    replace(root, h('nav', { class: 'tabs', 'aria-label': t('failures') }, links), host);
    let shown = null, inner = null;

    return {
        update(params) {
            const by = tabs[params.get('by')] ? params.get('by') : 'messages';
            if (by !== shown) {
                inner?.dispose();
                inner = tabs[by](host);
                shown = by;
                for (const link of links) {
                    link.dataset.tab === by ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
                    if (link.dataset.tab === by) link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
                }
            }
            inner.update(params);
        },
        refresh: () => inner.refresh(),
        dispose: () => inner?.dispose(),
        get keys() {
            const names = Object.keys(tabs);
            const turn = (by) => () => go('failures', { by: names[(names.indexOf(shown) + by + names.length) % names.length] });
            return { ...inner.keys, '[': turn(-1), ']': turn(1) };
        },
    };
}
