// Edit and send: changes a failed message and puts it back to be delivered, in one go.
import { h, unique_id } from './dom.js';
import { t } from './i18n.js';
import { get_exactly, path, post } from './api.js';
import { ask } from './dialog.js';
import { complaint, Exact, pretty, stringify } from './lossless.js';
import { most_bytes } from './payload.js';
import { complain, toast } from './toast.js';

// What was typed and not sent, by message: it is there again when the form is opened again.
const drafts = new Map();

// As fields give it back: lines of an area end with \n, and a field of one line has no ends of lines at all.
const typable = ({ exchange, routing_key, headers, properties, body }) => ({
    exchange: exchange.replace(/[\r\n]/g, ''), routing_key: routing_key.replace(/[\r\n]/g, ''),
    headers: headers.replace(/\r\n?/g, '\n'), properties: properties.replace(/\r\n?/g, '\n'), body: body.replace(/\r\n?/g, '\n'),
});

const as_text = (value) => (value === null || value === undefined ? '' : typeof value === 'string' ? pretty(value) : stringify(value, 2));

function field(label, control, hint) {
    control.id = unique_id('edit');
    const trouble = h('p', { class: 'trouble', id: `${control.id}-trouble`, hidden: true });
    control.setAttribute('aria-describedby', trouble.id);
    return {
        control,
        element: h('div', { class: 'field' }, h('label', { for: control.id }, label), control, hint ? h('p', { class: 'muted' }, hint) : null, trouble),
        complain(words) {
            trouble.textContent = words ?? '';
            trouble.hidden = !words;
            control.setAttribute('aria-invalid', String(Boolean(words)));
        },
    };
}

const area = (value, rows) => h('textarea', { rows, spellcheck: 'false', autocomplete: 'off', class: 'mono', dir: 'auto', value });
const line = (value) => h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', dir: 'auto', value });

function object_complaint(text) {
    if (text.trim() === '') return null;
    const why = complaint(text);
    if (why) return t('not_json', why);
    const value = JSON.parse(text);
    return value === null || typeof value !== 'object' || Array.isArray(value) ? t('not_an_object') : null;
}

function body_complaint(text, as) {
    if (as === 'json') {
        const why = complaint(text);
        return why ? t('not_json', why) : null;
    }
    if (as === 'hex') return /^(\s*[0-9a-fA-F]{2}\s*)*$/.test(text) ? null : t('not_hex');
    return null;
}

/** Resolves to whether it was sent. */
export async function edit_and_resend(shown) {
    let one = shown;
    try {
        // Whoever edits the beginning of a body would cut off its end.
        if (!one.body.complete && one.body.size <= most_bytes) one = await get_exactly(path('messages', one.id), { body_bytes: most_bytes });
    } catch (error) {
        complain(error);
        return false;
    }
    const original = typable({
        exchange: one.exchange, routing_key: one.routing_key, headers: as_text(one.headers), properties: as_text(one.properties),
        body: one.body.as === 'json' ? pretty(one.body.text) : one.body.text,
    });
    const draft = drafts.get(one.id) ?? original;
    const form = {
        exchange: field(t('exchange'), line(draft.exchange), t('exchange_hint')),
        routing_key: field(t('routing_key'), line(draft.routing_key)),
        headers: field(t('headers_json'), area(draft.headers, 4)),
        properties: field(t('properties_json'), area(draft.properties, 3)),
        body: field(t('body_as', one.body.as.toUpperCase()), area(draft.body, 10)),
    };
    if (!one.body.complete) form.body.control.disabled = true;
    const typed = () => Object.fromEntries(Object.entries(form).map(([name, { control }]) => [name, control.value]));
    const remember = () => drafts.set(one.id, typed());
    for (const { control } of Object.values(form)) control.addEventListener('input', remember);

    function is_good() {
        const value = typed();
        const complaints = {
            headers: object_complaint(value.headers), properties: object_complaint(value.properties),
            body: value.body === original.body ? null : body_complaint(value.body, one.body.as),
        };
        for (const [name, words] of Object.entries(complaints)) form[name].complain(words);
        const wrong = Object.keys(complaints).find((name) => complaints[name]);
        if (wrong) form[wrong].control.focus();
        return !wrong;
    }

    // Only what was changed: the rest stays byte for byte.
    function changes() {
        const value = typed(), body = {};
        for (const name of ['exchange', 'routing_key']) if (value[name] !== original[name]) body[name] = value[name];
        for (const name of ['headers', 'properties'])
            if (value[name] !== original[name]) body[name] = value[name].trim() === '' ? {} : new Exact(value[name]);
        if (value.body !== original.body) {
            if (one.body.as === 'hex') body.body_hex = value.body.replace(/\s/g, '');
            else body.body = one.body.text.includes('\r\n') ? value.body.replace(/\n/g, '\r\n') : value.body;
        }
        return body;
    }

    const sent = await ask({
        title: t('edit_and_resend'), wide: true, confirm: t('resend'), focus: form.exchange.control,
        content: [
            h('p', { class: 'mono break' }, h('bdi', {}, one.id)), h('p', { class: 'muted' }, t('resend_explained')),
            drafts.has(one.id) ? h('p', { class: 'note' }, t('draft_restored')) : null,
            h('div', { class: 'edit-form' }, h('div', { class: 'two' }, form.exchange.element, form.routing_key.element),
                form.headers.element, form.properties.element, form.body.element,
                one.body.complete ? null : h('p', { class: 'note' }, t('body_too_large'))),
        ],
        act: async () => {
            if (!is_good()) throw new Error(t('mend_fields'));
            try {
                return await post(path('messages', one.id, 'resend'), changes());
            } catch (error) {
                if (error.status === 409) throw new Error(t(error.document.outcome === 'gone' ? 'message_gone' : 'outcome_not_failed'));
                throw error;
            }
        },
    });
    if (!sent) return false;
    drafts.delete(one.id);
    toast(t('resent'));
    return true;
}
