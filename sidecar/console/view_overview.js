import { h, redraw, replace } from './dom.js';
import { t } from './i18n.js';
import { dash, duration, number, short } from './format.js';
import { get, now, post } from './api.js';
import { address, changed } from './router.js';
import { ask } from './dialog.js';
import { chart } from './charts.js';
import { operator_button } from './parts.js';
import { poll } from './poll.js';
import { toast, words_of } from './toast.js';

const ranges = [15, 60, 360, 1440]; // minutes

function tile({ name, value, hint, tone, href }) {
    const inside = [h('span', { class: 'tile-name' }, name), h('span', { class: 'tile-value' }, value), h('span', { class: 'tile-hint' }, hint ?? '')];
    return href ? h('a', { class: `tile ${tone ?? ''}`, href }, inside) : h('div', { class: `tile ${tone ?? ''}` }, inside);
}

function tiles_of(all) {
    const backlog = all.backlog ?? {};
    const rows = (status) => backlog.by_status?.find((one) => one.status === status)?.rows ?? (backlog.by_status ? 0 : null);
    const some = (status) => address('messages', { status: String(status) });
    const at_least = backlog.complete === false ? '+' : '';
    const counted = (value) => (value === null || value === undefined ? dash : [short(value), value >= 100_000 ? at_least : '']);
    const others = (backlog.by_status ?? []).filter((one) => ![0, 1, 2, 3].includes(one.status));
    return [
        tile({ name: t('due'), value: counted(backlog.due), hint: backlog.oldest_due_age_ms ? t('oldest_for', duration(backlog.oldest_due_age_ms)) : '', tone: backlog.oldest_due_age_ms > 60_000 ? 'warn' : '', href: some(0) }),
        tile({ name: t('delivering'), value: counted(rows(0)), hint: t('status_is', 0), href: some(0) }),
        tile({ name: t('failed'), value: counted(rows(2)), hint: t('status_is', 2), tone: rows(2) > 0 ? 'bad' : '', href: address('failures', { by: 'messages' }) }),
        tile({ name: t('delivered'), value: counted(rows(1)), hint: t('status_is', 1), href: some(1) }),
        tile({ name: t('consumed'), value: counted(rows(3)), hint: t('status_is', 3), href: some(3) }),
        tile({ name: t('in_flight'), value: counted(all.in_flight), hint: t('in_flight_hint') }),
        tile({ name: t('lanes_held'), value: counted(all.lanes_held), hint: t('lanes_held_hint'), href: address('lanes') }),
        tile({ name: t('ledger'), value: counted(all.ledger_entries), hint: t('ledger_hint'), href: address('failures', { by: 'ledger' }) }),
        all.receipts_overdue ? tile({ name: t('receipts_overdue'), value: counted(all.receipts_overdue), tone: 'warn', hint: '' }) : null,
        backlog.blocked_keys ? tile({ name: t('blocked_keys'), value: counted(backlog.blocked_keys), tone: 'warn', hint: '' }) : null,
        ...others.map((one) => tile({ name: t('status_other', one.status), value: counted(one.rows), hint: t('status_other_hint'), href: some(one.status) })),
    ];
}

const state = ({ tone, name, words, detail, action }) =>
    h('section', { class: `state ${tone}` }, h('i', { class: 'dot', 'aria-hidden': 'true' }),
        h('div', {}, h('h2', {}, name), h('p', { class: 'state-words' }, words), detail ? h('p', { class: 'state-detail break' }, h('bdi', {}, detail)) : null), action);

function broker_state({ broker }) {
    const [tone, words] = !broker.connected ? ['bad', 'broker_lost'] : broker.blocked ? ['warn', 'broker_blocked'] : ['good', 'broker_connected'];
    return state({ tone, name: t('broker'), words: t(words), detail: tone === 'good' ? null : broker.reason });
}

const ready_state = ({ ready }) =>
    state({ tone: ready.ok ? 'good' : 'bad', name: t('readiness'), words: t(ready.ok ? 'is_ready' : 'not_ready'), detail: (ready.reasons ?? []).join(' · ') });

async function pause_or_resume(all, again) {
    const verb = all.paused ? 'resume' : 'pause';
    const answer = await ask({
        title: t(`${verb}_title`), confirm: t(verb), content: h('p', {}, t(`${verb}_explained`)),
        act: () => post(verb),
    });
    if (!answer) return;
    toast(t(answer.paused ? 'is_paused' : 'is_resumed'));
    again();
}

const relay_state = (all, again) =>
    state({
        tone: all.paused ? 'warn' : 'good', name: t('relay'), words: t(all.paused ? 'is_paused' : 'is_running'),
        detail: t('instance_detail', all.instance, all.version, duration(all.uptime_ms)),
        action: operator_button({ label: t(all.paused ? 'resume' : 'pause'), name: all.paused ? 'play' : 'pause', kind: 'small', action: () => pause_or_resume(all, again) }),
    });

const totals_of = (totals) =>
    Object.entries(totals ?? {}).map(([name, value]) => h('div', {}, h('dt', {}, t(`total_${name}`)), h('dd', {}, number(value))));

/** `overview`: {subscribe(listener, signal), now()}: what the whole page watches, too. */
export function overview_view(root, { overview }) {
    const stopped = new AbortController();
    const trouble = h('div', { class: 'trouble', role: 'alert', hidden: true });
    const states = h('div', { class: 'states' }), tiles = h('div', { class: 'tiles' }), totals = h('dl', { class: 'totals' });
    let params = new URLSearchParams(), minutes = ranges[0], poller = null, table = false, shown_states = '';

    const hovered = (time) => charts.forEach((one) => one.read_out(time));
    const rate = (value) => (value === null || value === undefined ? dash : short(value));
    const make = (title, format, series) => chart({ title, format, series, hovered });
    const charts = [
        make(t('chart_backlog'), short, [{ key: 'due', label: t('due'), tone: 'blue' }, { key: 'delivering', label: t('delivering'), tone: 'grey' }, { key: 'in_flight', label: t('in_flight'), tone: 'violet' }]),
        make(t('chart_delivered'), rate, [{ key: 'confirmed_per_s', label: t('per_second'), tone: 'green' }]),
        make(t('chart_lag'), (value) => (value === 0 ? '0' : duration(value)), [{ key: 'lag_p50_ms', label: 'p50', tone: 'blue' }, { key: 'lag_p99_ms', label: 'p99', tone: 'orange' }]),
        make(t('chart_failures'), rate, [{ key: 'failed_attempts_per_s', label: t('failed_attempts'), tone: 'red' }]),
    ];
    const range_links = ranges.map((one) => h('a', { data: { minutes: one } }, duration(one * 60_000)));
    const table_button = h('button', { type: 'button', class: 'quiet small', 'aria-pressed': 'false', on: { click: () => {
        table = !table;
        table_button.setAttribute('aria-pressed', String(table));
        charts.forEach((one) => one.as_table(table));
    } } }, t('as_tables'));
    replace(root, h('div', { class: 'overview' }, trouble, states, tiles,
        h('div', { class: 'charts-head' }, h('h2', {}, t('over_time')), h('nav', { class: 'segments', 'aria-label': t('time_range') }, range_links), table_button),
        h('div', { class: 'charts' }, charts.map((one) => one.element)),
        h('section', { class: 'card' }, h('h2', {}, t('since_start')), totals)));

    overview.subscribe((all, error) => {
        if (error) return void (replace(trouble, words_of(error)).hidden = false);
        trouble.hidden = true;
        redraw(tiles, tiles_of(all));
        replace(totals, totals_of(all.totals));
        const now_shown = JSON.stringify([all.paused, all.broker, all.ready, duration(all.uptime_ms)]);
        if (now_shown === shown_states) return;
        shown_states = now_shown;
        redraw(states, relay_state(all, overview.now), broker_state(all), ready_state(all));
    }, stopped.signal);

    async function look(signal) {
        const answer = await get('stats', { minutes }, signal);
        const end = now();
        for (const one of charts) one.show(answer.points, end - minutes * 60_000, end);
    }

    return {
        update(new_params) {
            params = new_params;
            const wanted = Number(params.get('minutes'));
            const before = minutes;
            minutes = ranges.includes(wanted) ? wanted : ranges[0];
            for (const link of range_links) {
                link.href = address('overview', changed(params, { minutes: link.dataset.minutes }));
                Number(link.dataset.minutes) === minutes ? link.setAttribute('aria-current', 'true') : link.removeAttribute('aria-current');
            }
            if (!poller) poller = poll(look, () => (minutes <= 60 ? 5000 : 30_000), stopped.signal);
            else if (before !== minutes) poller.now();
        },
        refresh: () => { overview.now(); poller?.now(); },
        dispose: () => stopped.abort(),
        keys: { u: () => { overview.now(); poller?.now(); } },
    };
}
