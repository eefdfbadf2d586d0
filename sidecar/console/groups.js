// Failures counted by reason, with what can be done about each.
import { h, replace } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { number } from './format.js';
import { get, is_aborted } from './api.js';
import { empty, exchange_name, operator_button, when } from './parts.js';
import { words_of } from './toast.js';

/** kind: {path, query, count(group), side?, exchange, reason(group), times(group), href(group), act: [{verb, run(group)}], none} */
export function groups_view(root, kind) {
    const loading = new AbortController();
    const summary = h('p', { class: 'list-summary', role: 'status' });
    const trouble = h('div', { class: 'trouble', role: 'alert', hidden: true });
    const body = h('div', { class: 'table-frame' });
    const list = h('section', { class: 'list', 'aria-label': kind.label }, h('div', { class: 'list-head' }, summary,
        h('span', { class: 'list-actions' }, h('button', { type: 'button', class: 'quiet icon-only small', 'aria-label': t('reload'), title: `${t('reload')} (u)`, on: { click: load } }, icon('refresh')))), trouble, body);
    replace(root, list);
    let links = [], cursor = -1;

    function line_of(group, most) {
        const [oldest, latest] = kind.times(group);
        const link = h('a', { class: 'row-link', href: kind.href(group) }, group_reason(kind.reason(group)));
        return h('tr', { on: { click: (event) => { if (!event.target.closest('a, button') && !String(getSelection())) link.click(); } } },
            h('th', { class: 'col-reason', scope: 'row' }, link),
            h('td', { class: 'col-count' }, h('span', { class: 'count-number' }, number(kind.count(group))),
                h('meter', { min: 0, max: most, value: kind.count(group), 'aria-hidden': 'true' })),
            kind.side ? h('td', { class: 'col-side' }, t(`side_${group.side}`)) : null,
            h('td', { class: 'col-exchange' }, exchange_name(group.exchange)),
            h('td', { class: 'col-time' }, when(latest)), h('td', { class: 'col-time col-oldest' }, when(oldest)),
            h('td', { class: 'col-actions' }, kind.act.map(({ verb, run }) => operator_button({
                label: t(`${verb}_group`), name: verb === 'delete' ? 'trash' : 'retry', kind: `small ${verb === 'delete' ? 'quiet-danger' : ''}`,
                action: () => run(group),
            }))));
    }

    const group_reason = (reason) => (reason === null || reason === '' ? h('em', { class: 'muted' }, t('no_reason')) : h('bdi', { title: reason }, reason));

    function show({ groups, looked_at, complete }) {
        const most = Math.max(...groups.map(kind.count), 1);
        replace(summary, groups.length ? t('groups_shown', number(groups.length), number(looked_at), complete !== false) : '');
        const head = [['reason', t('reason')], ['count', t('count_head')], kind.side ? ['side', t('side')] : null, ['exchange', t('exchange')],
            ['time', t('latest')], ['time col-oldest', t('oldest')], ['actions', h('span', { class: 'offscreen' }, t('actions'))]].filter(Boolean);
        replace(body, groups.length
            ? h('table', { class: 'rows groups', 'aria-label': kind.label },
                h('thead', {}, h('tr', {}, head.map(([name, label]) => h('th', { class: `col-${name}`, scope: 'col' }, label)))),
                h('tbody', {}, groups.map((one) => line_of(one, most))))
            : kind.none);
        links = [...body.querySelectorAll('.row-link')];
        cursor = -1;
    }

    async function load() {
        list.setAttribute('aria-busy', 'true');
        try {
            show(await get(kind.path, { ...kind.query, limit: 100 }, loading.signal));
            trouble.hidden = true;
        } catch (error) {
            if (is_aborted(error)) return;
            replace(trouble, words_of(error), ' ', h('button', { type: 'button', class: 'link', on: { click: load } }, t('try_again'))).hidden = false;
        }
        list.removeAttribute('aria-busy');
    }

    function step(by) {
        if (!links.length) return;
        cursor = Math.min(Math.max(cursor + by, 0), links.length - 1);
        links[cursor].focus();
    }

    load();
    return {
        update() {}, refresh: load, dispose: () => loading.abort(),
        keys: { j: () => step(1), k: () => step(-1), u: load },
    };
}
