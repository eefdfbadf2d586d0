import { t } from './i18n.js';
import { h } from './dom.js';
import { bytes, number } from './format.js';
import { change_matching, change_messages, objection_to_matching } from './bulk.js';
import { destination, empty, status_badge, when } from './parts.js';
import { message_detail } from './detail_message.js';
import { paged_view } from './paged.js';

const fields = () => [
    { kind: 'select', name: 'status', label: t('status'), options: [['', t('any')], ['0', t('delivering')], ['1', t('delivered')], ['2', t('failed')], ['3', t('consumed')]] },
    { kind: 'text', name: 'exchange', label: t('exchange') },
    { kind: 'text', name: 'routing_key', label: t('routing_key') },
    { kind: 'text', name: 'id_prefix', label: t('filter_id_prefix') },
    { kind: 'text', name: 'error', label: t('filter_error') },
    { kind: 'time', name: 'since', label: t('filter_since') },
    { kind: 'time', name: 'before', label: t('filter_before') },
];

const columns = () => [
    { name: 'id', label: t('id'), cell: (row) => h('bdi', { class: 'mono' }, row.id) },
    { name: 'status', label: t('status'), cell: (row) => status_badge(row.status) },
    { name: 'destination', label: t('destination'), cell: (row) => destination(row.exchange, row.routing_key) },
    { name: 'error', label: t('last_error'), cell: (row) => (row.last_error ? h('bdi', { title: row.last_error }, row.last_error) : null) },
    { name: 'tries', label: t('tries'), cell: (row) => (row.try_count ? number(row.try_count) : h('span', { class: 'muted' }, '0')) },
    { name: 'size', label: t('size'), cell: (row) => bytes(row.body_size) },
    { name: 'time', label: t('changed'), cell: (row) => when(row.update_time) },
];

export const messages_view = (root) => paged_view(root, {
    view: 'messages', path: 'messages', count_path: 'messages/count', label: t('messages'),
    rows: (answer) => answer.messages, id: (row) => row.id,
    fields: fields(), columns: columns(), detail: message_detail,
    selection: ['retry', 'delete'].map((verb) => ({ verb, run: (ids) => change_messages(verb, ids) })),
    matching: ['retry', 'delete'].map((verb) => ({
        verb, objection: (filter) => objection_to_matching('messages', verb, filter), run: (filter) => change_matching('messages', verb, filter),
    })),
    none: (filtered) => empty(t(filtered ? 'nothing_matches' : 'no_messages'), filtered ? t('nothing_matches_hint') : t('no_messages_hint')),
});
