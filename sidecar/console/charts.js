// Lines over time, in SVG, with a read-out under the pointer or by the arrow keys.
import { h, replace, s } from './dom.js';
import { t } from './i18n.js';
import { clock, dash } from './format.js';

const height = 168, left = 52, right = 10, top = 10, bottom = 22;
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * 60_000);

/** The next number that makes round marks on an axis. */
export function nice_top(value) {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].map((one) => one * power).find((one) => one >= value * 0.999);
}

/** series: [{key, label, tone}]; format(value) for axes and read-out. `hovered(time or null)` lets charts move together. */
export function chart({ title, series, format, hovered }) {
    let points = [], from = 0, to = 1, width = 0, most = 1, shown_at = null;
    const svg = s('svg', { class: 'chart', 'aria-hidden': 'true', height });
    const frame = h('div', { class: 'chart-frame', tabindex: '0', role: 'group' }, svg);
    const values = series.map(() => h('b', {}, dash));
    const at_time = h('span', { class: 'chart-time' });
    const legend = h('div', { class: 'legend' }, series.map((one, i) =>
        h('span', { class: `tone-${one.tone}` }, h('i', { 'aria-hidden': 'true' }), one.label, ' ', values[i])), at_time);
    const spoken = h('span', { class: 'offscreen', 'aria-live': 'polite' });
    const table = h('div', { class: 'chart-table scroll-x', hidden: true });
    const element = h('figure', { class: 'chart-card' }, h('figcaption', {}, h('h3', {}, title), legend), frame, table, spoken);

    const x_of = (time) => left + ((time - from) / (to - from)) * (width - left - right);
    const y_of = (value) => top + (1 - value / most) * (height - top - bottom);

    function line_of(key) {
        let path = '', pen_up = true;
        for (const one of points) {
            const value = one[key];
            if (value === null || value === undefined) {
                pen_up = true;
                continue;
            }
            const place = `${x_of(one.time).toFixed(1)} ${y_of(value).toFixed(1)}`;
            path += pen_up ? `M${place}h.01` : `L${place}`; // a point that stands alone is to be seen, too
            pen_up = false;
        }
        return path;
    }

    function area_of(key) {
        const base = y_of(0).toFixed(1);
        let path = '', began = null, last = null;
        const close = () => { if (began !== null) path += `L${last} ${base}L${began} ${base}Z`; began = null; };
        for (const one of points) {
            const value = one[key];
            if (value === null || value === undefined) {
                close();
                continue;
            }
            const x = x_of(one.time).toFixed(1);
            path += `${began === null ? 'M' : 'L'}${x} ${y_of(value).toFixed(1)}`;
            began ??= x;
            last = x;
        }
        close();
        return path;
    }

    function axes() {
        const group = s('g', { class: 'axes' });
        for (let i = 0; i <= 4; ++i) {
            const value = (most * i) / 4, y = y_of(value);
            group.append(s('line', { x1: left, x2: width - right, y1: y, y2: y }),
                s('text', { x: left - 8, y: y + 3.5, 'text-anchor': 'end' }, format(value)));
        }
        const room = Math.max(2, Math.floor((width - left - right) / 84));
        const step = steps.find((one) => (to - from) / one <= room) ?? steps.at(-1);
        const zone = new Date(from).getTimezoneOffset() * 60_000;
        for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to; time += step)
            group.append(s('text', { x: x_of(time), y: height - 5, 'text-anchor': 'middle' }, clock(time)));
        return group;
    }

    const cursor = s('g', { class: 'cursor', visibility: 'hidden' });

    function draw() {
        if (!width || table.hidden === false) return;
        most = nice_top(Math.max(...series.map(({ key }) => points.reduce((top_value, one) => Math.max(top_value, one[key] ?? 0), 0))));
        svg.setAttribute('width', width);
        svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
        replace(svg, axes(),
            series.length === 1 ? s('path', { class: `area tone-${series[0].tone}`, d: area_of(series[0].key) }) : null,
            series.map((one) => s('path', { class: `line tone-${one.tone}`, d: line_of(one.key) })), cursor);
        read_out(shown_at);
    }

    function nearest(time) {
        let best = null;
        for (const one of points) if (best === null || Math.abs(one.time - time) < Math.abs(best.time - time)) best = one;
        return best;
    }

    // What is measured once in a while is not yet known of the last few seconds.
    const latest = () => points.slice(-3).findLast((one) => series.some(({ key }) => typeof one[key] === 'number')) ?? points.at(-1);

    /** The values at that time; of the last point, for null. */
    function read_out(time) {
        shown_at = time;
        const one = time === null ? latest() : nearest(time);
        series.forEach(({ key }, i) => replace(values[i], format(one?.[key] ?? null)));
        replace(at_time, time !== null && one ? clock(one.time, true) : '');
        cursor.setAttribute('visibility', time !== null && one && width ? 'visible' : 'hidden');
        if (time === null || !one || !width) return;
        const x = x_of(one.time);
        replace(cursor, s('line', { x1: x, x2: x, y1: top, y2: height - bottom }),
            series.filter(({ key }) => typeof one[key] === 'number').map(({ key, tone }) =>
                s('circle', { class: `tone-${tone}`, cx: x, cy: y_of(one[key]), r: 3.5 })));
    }

    const say = (one) => series.map(({ key, label }) => `${label} ${format(one?.[key] ?? null)}`).join(', ');

    function draw_table() {
        const every = Math.max(1, Math.ceil(points.length / 30));
        const some = points.filter((one, i) => (points.length - 1 - i) % every === 0).reverse();
        replace(table, h('table', { class: 'plain', 'aria-label': title },
            h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('time')), series.map((one) => h('th', { scope: 'col', class: 'numeric' }, one.label)))),
            h('tbody', {}, some.map((one) => h('tr', {}, h('th', { scope: 'row' }, clock(one.time, true)),
                series.map(({ key }) => h('td', { class: 'numeric' }, format(one[key] ?? null))))))));
    }

    frame.addEventListener('pointermove', (event) => {
        const share = (event.clientX - frame.getBoundingClientRect().left - left) / (width - left - right);
        hovered(from + Math.min(Math.max(share, 0), 1) * (to - from));
    });
    frame.addEventListener('pointerleave', () => hovered(null));
    frame.addEventListener('blur', () => hovered(null));
    frame.addEventListener('keydown', (event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!by || !points.length) return;
        event.preventDefault();
        const at = shown_at === null ? points.length - 1 : points.indexOf(nearest(shown_at)) + by;
        const one = points[Math.min(Math.max(at, 0), points.length - 1)];
        hovered(one.time);
        replace(spoken, `${clock(one.time, true)}: ${say(one)}`);
    });
    new ResizeObserver(([entry]) => {
        const now_wide = Math.floor(entry.contentRect.width);
        if (now_wide === width) return;
        width = now_wide;
        draw();
    }).observe(frame);

    return {
        element,
        read_out,
        as_table(yes) {
            table.hidden = !yes;
            frame.hidden = yes;
            yes ? draw_table() : draw();
        },
        show(new_points, new_from, new_to) {
            [points, from, to] = [new_points, new_from, new_to];
            frame.setAttribute('aria-label', t('chart_summary', title, say(latest())));
            table.hidden ? draw() : draw_table();
            if (!table.hidden) read_out(null);
        },
    };
}
