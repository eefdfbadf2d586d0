import { h, replace } from './dom.js';
import { t } from './i18n.js';
import { dash, duration, number } from './format.js';
import { get } from './api.js';
import { empty } from './parts.js';
import { poll } from './poll.js';
import { words_of } from './toast.js';

const owner = (name) => (name ? h('bdi', { class: 'mono break' }, name) : h('em', { class: 'muted' }, t('held_by_nobody')));

function instances_table(instances, lanes) {
    return h('table', { class: 'plain', 'aria-label': t('instances') },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('instance')), h('th', { scope: 'col', class: 'numeric' }, t('lanes_count')), h('th', { scope: 'col' }, t('share')))),
        h('tbody', {}, instances.map((one) => {
            const count = Array.isArray(one.lanes) ? one.lanes.length : one.lanes;
            return h('tr', {}, h('th', { scope: 'row' }, owner(one.owner)), h('td', { class: 'numeric' }, number(count)),
                h('td', {}, h('meter', { min: 0, max: Math.max(lanes.length, 1), value: count, 'aria-hidden': 'true' })));
        })));
}

const lanes_table = (lanes) =>
    h('table', { class: 'plain', 'aria-label': t('lanes') },
        h('thead', {}, h('tr', {}, [['lane'], ['held_by'], ['lease_ends', 'numeric'], ['epoch', 'numeric'], ['wanted_by']].map(([name, kind]) =>
            h('th', { scope: 'col', class: kind }, t(name))))),
        h('tbody', {}, lanes.map((one) => h('tr', {},
            h('th', { scope: 'row' }, t('lane_of', number(one.lane), number(one.lanes))), h('td', {}, owner(one.owner)),
            h('td', { class: 'numeric' }, one.expires_in_ms === null ? dash : duration(one.expires_in_ms)),
            h('td', { class: 'numeric' }, String(one.epoch)), h('td', {}, one.wanted_by ? owner(one.wanted_by) : dash)))));

export function lanes_view(root) {
    const stopped = new AbortController();
    const trouble = h('div', { class: 'trouble', role: 'alert', hidden: true });
    const body = h('div', { class: 'stack' });
    replace(root, h('p', { class: 'lead' }, t('lanes_explained')), trouble, body);

    const poller = poll(async (signal) => {
        try {
            const { table, lanes, instances } = await get('lanes', {}, signal);
            trouble.hidden = true;
            replace(body, !table ? empty(t('no_lane_table'), t('no_lane_table_hint')) : !lanes?.length ? empty(t('no_lanes'), t('no_lanes_hint'))
                : [h('section', { class: 'card scroll-x', tabindex: '0' }, h('h2', {}, t('instances')), instances_table(instances ?? [], lanes)),
                    h('section', { class: 'card scroll-x', tabindex: '0' }, h('h2', {}, t('lanes')), lanes_table(lanes))]);
        } catch (error) {
            if (!signal.aborted) replace(trouble, words_of(error)).hidden = false;
            throw error;
        }
    }, () => 5000, stopped.signal);

    return { update() {}, refresh: poller.now, dispose: () => stopped.abort(), keys: { u: poller.now } };
}
