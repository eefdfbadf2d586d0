// A filtered list, page by page, with what is selected, and one of its rows open beside it. Messages and the ledger of
// failures are both shown by it.
import { h, replace, unique_id } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { number } from './format.js';
import { get, is_aborted, is_operator } from './api.js';
import { filter_form, filter_of } from './filters.js';
import { address, changed, go } from './router.js';
import { table_of } from './table.js';
import { empty, operator_button } from './parts.js';
import { words_of } from './toast.js';

const page_size = 50;

/**
 * kind: {view, path, rows(answer), id(row), fields, columns, label, count_path?, detail(id, context),
 *        selection: [{verb, run(ids)}], matching: [{verb, objection(filter), run(filter)}], none(filtered)}
 */
export function paged_view(root, kind) {
    let params = new URLSearchParams(), loaded = null, loading = null, detail = null, detail_id = null;

    const filters = filter_form({
        label: t('filters'), fields: kind.fields,
        changed: (values) => go(kind.view, changed(params, { ...values, cursor: null })),
    });
    const summary = h('p', { class: 'list-summary', role: 'status', 'aria-live': 'polite' });
    const count_button = kind.count_path ? h('button', { type: 'button', class: 'link', on: { click: count } }, t('count')) : null;
    const matching = kind.matching.map(({ verb, run }) => operator_button({
        label: t(`${verb}_all_matching`), name: verb === 'delete' ? 'trash' : 'retry', kind: `small ${verb === 'delete' ? 'quiet-danger' : 'quiet'}`,
        action: async () => { await run(filter_of(kind.fields, params)); },
    }));
    const reload_button = h('button', { type: 'button', class: 'quiet icon-only small', 'aria-label': t('reload'), title: `${t('reload')} (u)`, on: { click: () => refresh() } }, icon('refresh'));
    const table = table_of({
        label: kind.label, columns: kind.columns, id_of: (row) => String(kind.id(row)),
        href_of: (row) => address(kind.view, changed(params, { open: String(kind.id(row)) })),
        selection_changed: draw_selection,
    });
    const nothing = h('div', { hidden: true });
    const trouble = h('div', { class: 'trouble', role: 'alert', hidden: true });
    const newest = h('a', { class: 'button small' }, icon('newest'), t('newest'));
    const older = h('a', { class: 'button small' }, t('older'), icon('older'));
    const pager = h('nav', { class: 'pager', 'aria-label': t('pages') }, newest, older);
    const selection_words = h('strong', {});
    const selection_bar = h('div', { class: 'selection-bar', role: 'region', 'aria-label': t('selection'), hidden: true }, selection_words,
        kind.selection.map(({ verb, run }) => operator_button({
            label: t(verb), name: verb === 'delete' ? 'trash' : 'retry', kind: `small ${verb === 'delete' ? 'quiet-danger' : ''}`,
            action: async () => {
            const ids = [...table.selected];
            if (!await run(ids)) return;
            if (verb === 'delete' && ids.includes(detail_id)) close();
            refresh();
        },
        })),
        h('button', { type: 'button', class: 'quiet small', on: { click: () => table.select_all(false) } }, t('clear_selection')));
    const list = h('section', { class: 'list', 'aria-label': kind.label },
        h('div', { class: 'list-head' }, summary, h('span', { class: 'list-actions' }, matching, reload_button)),
        trouble, h('div', { class: 'table-frame' }, table.element, nothing), selection_bar, pager);
    const drawer = h('aside', { class: 'drawer', 'aria-label': t('details'), tabindex: '-1', hidden: true });
    replace(root, filters.element, h('div', { class: 'split' }, list, drawer));

    function draw_selection(selected) {
        selection_bar.hidden = selected.size === 0;
        replace(selection_words, t('selected', number(selected.size)));
    }

    const key_of = () => JSON.stringify([filter_of(kind.fields, params), params.get('cursor')]);

    async function load() {
        loading?.abort();
        const mine = loading = new AbortController();
        list.setAttribute('aria-busy', 'true');
        try {
            const cursor = params.get('cursor');
            const answer = await get(kind.path, { ...filter_of(kind.fields, params), limit: page_size, cursor }, mine.signal);
            show(kind.rows(answer), answer.next);
            trouble.hidden = true;
        } catch (error) {
            if (is_aborted(error)) return;
            replace(trouble, words_of(error), ' ', h('button', { type: 'button', class: 'link', on: { click: () => refresh() } }, t('try_again'))).hidden = false;
        }
        list.removeAttribute('aria-busy');
    }

    function show(rows, next) {
        const filter = filter_of(kind.fields, params), first_page = !params.get('cursor');
        table.show(rows);
        table.mark_open(params.get('open'));
        table.element.hidden = rows.length === 0;
        replace(nothing, rows.length ? null : kind.none(Object.keys(filter).length > 0)).hidden = rows.length > 0;
        replace(summary, t('rows_shown', number(rows.length), !first_page, Boolean(next)), ' ', rows.length ? count_button : null);
        matching.forEach((button, i) => {
            const objection = kind.matching[i].objection(filter);
            button.hidden = rows.length === 0;
            button.disabled = !is_operator() || objection !== null;
            button.title = is_operator() ? objection ?? '' : t('operators_only');
        });
        newest.hidden = first_page;
        newest.href = address(kind.view, changed(params, { cursor: null }));
        older.hidden = !next;
        if (next) older.href = address(kind.view, changed(params, { cursor: next }));
        pager.hidden = newest.hidden && older.hidden;
    }

    async function count() {
        count_button.disabled = true;
        try {
            const answer = await get(kind.count_path, { ...filter_of(kind.fields, params), at_most: 100_000 }, loading.signal);
            replace(summary, t('matching', number(answer.count), answer.complete, answer.count));
        } catch (error) {
            if (!is_aborted(error)) replace(summary, words_of(error));
        }
        count_button.disabled = false;
    }

    function show_detail(id, again = false) {
        if (id === detail_id && !again) return;
        const had_focus = drawer.contains(document.activeElement);
        detail?.dispose();
        detail = null;
        detail_id = id;
        drawer.hidden = id === null;
        document.body.classList.toggle('drawer-open', id !== null);
        table.mark_open(id);
        if (id === null) return had_focus ? table.move(0) : null;
        detail = kind.detail(id, { host: drawer, close, changed: () => { show_detail(id, true); load(); }, gone: () => { close(); load(); } });
        if (!again && matchMedia('(max-width: 900px)').matches) drawer.focus();
    }

    function close() {
        if (detail_id === null) return;
        show_detail(null);
        go(kind.view, changed(params, { open: null }));
    }

    function refresh() {
        loaded = key_of();
        load();
        if (detail_id !== null) show_detail(detail_id, true);
    }

    return {
        update(new_params) {
            params = new_params;
            filters.show(params);
            if (loaded !== key_of()) {
                loaded = key_of();
                load();
            } else {
                table.refresh_addresses();
            }
            show_detail(params.get('open'));
        },
        refresh,
        dispose() {
            filters.end();
            loading?.abort();
            detail?.dispose();
            document.body.classList.remove('drawer-open');
        },
        keys: {
            '/': () => filters.focus(),
            j: () => step(1),
            k: () => step(-1),
            x: () => table.toggle_cursor(),
            Enter: () => table.open_cursor(),
            u: refresh,
            Escape: () => {
                if (detail_id !== null) close();
                else if (table.selected.size) table.select_all(false);
            },
        },
    };

    // While a row is open, walking opens the next one.
    function step(by) {
        const to = table.move(by);
        if (to && detail_id !== null) {
            const at = to.indexOf('?');
            go(kind.view, new URLSearchParams(to.slice(at + 1)), { replace: true });
        }
    }
}
