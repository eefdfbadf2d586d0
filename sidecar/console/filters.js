// A form whose fields are parameters of the address.
import { h, replace, unique_id } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { local_input } from './format.js';
import { now } from './api.js';

// In a field, nothing is "any", and two quotes are the empty text: the default exchange, say.
const typed = (value) => (value === null ? '' : value === '' ? '""' : value);
const meant = (text) => (text === '' ? null : text === '""' ? '' : text);

function text_field({ name, label, hint }) {
    const input = h('input', { id: unique_id(name), name, type: 'text', placeholder: hint ?? t('any'), autocomplete: 'off', spellcheck: 'false', dir: 'auto' });
    return { label, input, show: (value) => { input.value = typed(value); }, value: () => meant(input.value) };
}

function select_field({ name, label, options }) {
    const input = h('select', { id: unique_id(name), name });
    const show = (value) => {
        const known = options.some(([one]) => one === (value ?? ''));
        replace(input, options.map(([one, words]) => h('option', { value: one }, words)), known ? null : h('option', { value }, value));
        input.value = value ?? '';
    };
    return { label, input, show, value: () => input.value || null };
}

function time_field({ name, label }) {
    const input = h('input', { id: unique_id(name), name, type: 'datetime-local', step: '60' });
    return {
        label, input,
        show: (value) => { input.value = /^\d+$/.test(value ?? '') ? local_input(Number(value)) : ''; },
        value: () => (input.value ? String(new Date(input.value).getTime()) : null),
    };
}

const makers = { text: text_field, select: select_field, time: time_field };
const spans = [['15', 15 * 60_000], ['60', 3_600_000], ['1440', 86_400_000]];

/** `changed` is called with {name: value or null} of all fields. Enter, leaving a field, or choosing applies. */
export function filter_form({ label, fields, changed }) {
    const made = fields.map((one) => ({ name: one.name, ...makers[one.kind](one) }));
    const count = h('span', { class: 'count', hidden: true });
    const values = () => Object.fromEntries(made.map((one) => [one.name, one.value()]));
    // A field with the focus tells of its change also when it is taken away with the view: that is no wish to stay.
    let ended = false;
    const apply = () => { if (!ended) changed(values()); };
    const clear = h('button', { type: 'button', class: 'quiet', on: { click: () => changed(Object.fromEntries(made.map((one) => [one.name, null]))) } }, icon('close'), t('clear_filters'));
    const span_buttons = fields.some((one) => one.name === 'since')
        ? h('div', { class: 'spans', role: 'group', 'aria-label': t('since') }, spans.map(([minutes, ms]) =>
            h('button', { type: 'button', class: 'quiet', on: { click: () => changed({ ...values(), since: String(Math.floor((now() - ms) / 1000) * 1000) }) } }, t('last_minutes', minutes))))
        : null;
    const body = h('form', { class: 'filters', id: unique_id('filters'), role: 'search', 'aria-label': label, on: {
        submit: (event) => { event.preventDefault(); apply(); },
        change: apply,
    } },
    made.map((one) => h('div', { class: `field field-${one.name}` }, h('label', { for: one.input.id }, one.label), one.input)),
    h('div', { class: 'filter-actions' }, span_buttons, clear, h('button', { type: 'submit', class: 'offscreen', tabindex: '-1' }, t('apply'))));
    const toggle = h('button', { type: 'button', class: 'filters-toggle', 'aria-expanded': 'false', 'aria-controls': body.id, on: { click: () => {
        const open = body.classList.toggle('open');
        toggle.setAttribute('aria-expanded', String(open));
    } } }, icon('filter'), t('filters'), count);

    /** Shows the address's values, but never overwrites what is being typed. */
    function show(params) {
        let used = 0;
        for (const one of made) {
            const value = params.get(one.name);
            if (value !== null) ++used;
            if (one.value() !== value || one.input.tagName === 'SELECT') one.show(value);
        }
        replace(count, String(used)).hidden = used === 0;
        clear.disabled = used === 0;
    }

    return {
        element: h('div', { class: 'filter-bar' }, toggle, body),
        show,
        end: () => { ended = true; },
        focus: () => {
            body.classList.add('open');
            toggle.setAttribute('aria-expanded', 'true');
            (made.find((one) => one.input.type === 'text') ?? made[0]).input.focus();
        },
    };
}

/** The part of the address that filters. */
export const filter_of = (fields, params) =>
    Object.fromEntries(fields.map(({ name }) => [name, params.get(name)]).filter(([, value]) => value !== null));
