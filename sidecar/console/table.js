// A table of rows that can be selected, walked through with the keyboard, and opened.
import { h, replace } from './dom.js';
import { t } from './i18n.js';

/**
 * columns: [{name, label, cell(row)}]; the first cell is the link that opens the row. `selection_changed` is called after
 * each change of `selected`, which holds ids of rows of this page only.
 */
export function table_of({ label, columns, id_of, href_of, selection_changed }) {
    const selected = new Set();
    let rows = [], lines = [], last_toggled = -1, cursor = -1;

    const all_box = h('input', { type: 'checkbox', 'aria-label': t('select_page'), on: { change: () => select_all(all_box.checked) } });
    const body = h('tbody');
    const table = h('table', { class: 'rows', 'aria-label': label },
        h('thead', {}, h('tr', {},
            h('th', { class: 'col-select', scope: 'col' }, all_box),
            columns.map((one) => h('th', { class: `col-${one.name}`, scope: 'col' }, one.label)))), body);

    function mark() {
        lines.forEach(({ line, box, id }) => {
            box.checked = selected.has(id);
            line.classList.toggle('selected', box.checked);
        });
        all_box.checked = rows.length > 0 && selected.size === rows.length;
        all_box.indeterminate = selected.size > 0 && !all_box.checked;
        selection_changed(selected);
    }

    function select_all(yes) {
        selected.clear();
        if (yes) for (const { id } of lines) selected.add(id);
        mark();
    }

    function toggle(at, with_range) {
        const yes = !selected.has(lines[at].id);
        const from = with_range && last_toggled >= 0 ? last_toggled : at;
        for (let i = Math.min(from, at); i <= Math.max(from, at); ++i) yes ? selected.add(lines[i].id) : selected.delete(lines[i].id);
        last_toggled = at;
        mark();
    }

    function line_of(row, at) {
        const id = id_of(row);
        const box = h('input', { type: 'checkbox', 'aria-label': t('select_row', id), on: { click: (event) => { event.stopPropagation(); toggle(at, event.shiftKey); } } });
        const cells = columns.map((one, index) => {
            const content = one.cell(row);
            if (index > 0) return h('td', { class: `col-${one.name}` }, content);
            return h('th', { class: `col-${one.name}`, scope: 'row' }, h('a', { class: 'row-link', href: href_of(row) }, content));
        });
        const line = h('tr', { on: {
            click: (event) => {
                if (event.target.closest('a, input, button') || String(getSelection())) return;
                line.querySelector('.row-link').click();
            },
            focusin: () => { cursor = at; },
        } }, h('td', { class: 'col-select' }, box), cells);
        return { line, box, id };
    }

    function show(new_rows) {
        rows = new_rows;
        selected.clear();
        last_toggled = cursor = -1;
        lines = rows.map(line_of);
        replace(body, lines.map(({ line }) => line));
        mark();
    }

    /** The row that is open beside the table; null if none. */
    function mark_open(id) {
        lines.forEach((one, at) => {
            const open = id !== null && one.id === id;
            one.line.classList.toggle('open', open);
            if (open) {
                one.line.setAttribute('aria-current', 'true');
                if (cursor < 0) cursor = at;
            } else {
                one.line.removeAttribute('aria-current');
            }
        });
    }

    /** Moves the focus by rows; returns the row's address, or null if there is none. */
    function move(by) {
        if (!lines.length) return null;
        cursor = Math.min(Math.max(cursor + by, 0), lines.length - 1);
        const link = lines[cursor].line.querySelector('.row-link');
        link.focus();
        lines[cursor].line.scrollIntoView({ block: 'nearest' });
        return link.getAttribute('href');
    }

    return {
        element: table, selected, show, mark_open, move, select_all,
        refresh_addresses: () => lines.forEach(({ line }, at) => line.querySelector('.row-link').setAttribute('href', href_of(rows[at]))),
        toggle_cursor: () => { if (cursor >= 0) toggle(cursor, false); },
        open_cursor: () => { if (cursor >= 0) lines[cursor].line.querySelector('.row-link').click(); },
    };
}
