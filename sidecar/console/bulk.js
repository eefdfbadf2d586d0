// Retry and delete: of what is selected, and of all that a filter matches.
import { h, replace } from './dom.js';
import { t } from './i18n.js';
import { number } from './format.js';
import { post } from './api.js';
import { ask, show } from './dialog.js';
import { start_job } from './jobs.js';
import { Exact } from './lossless.js';
import { toast, words_of } from './toast.js';

const is_number = /^-?\d+$/;
const numbers = { delivering: '0', delivered: '1', failed: '2', consumed: '3' };

/** The filter of an address as the API takes it in a body, where numbers are numbers. */
export function filter_body(filter) {
    const body = { ...filter };
    if (numbers[body.status]) body.status = numbers[body.status];
    for (const name of ['status', 'since', 'before', 'before_time'])
        if (is_number.test(body[name] ?? '')) body[name] = Number(body[name]);
    return body;
}

function show_left(left) {
    show({
        title: t('left_as_they_are', number(left.length)), wide: true,
        content: h('div', { class: 'scroll-x' }, h('table', { class: 'plain' },
            h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('id')), h('th', { scope: 'col' }, t('why')))),
            h('tbody', {}, left.slice(0, 200).map((one) =>
                h('tr', {}, h('td', { class: 'mono' }, h('bdi', {}, String(one.id))), h('td', {}, one.why)))))),
    });
}

function report(verb, changed, left) {
    const words = t(`${verb}_done`, number(changed), changed);
    if (!left.length) return toast(words);
    if (left.length === 1) return toast(changed ? `${words} ${t('one_left', left[0].why)}` : t('one_left', left[0].why), 'bad');
    toast(words, changed ? 'good' : 'bad');
    show_left(left);
}

const force_box = (verb) => h('input', { type: 'checkbox', id: `force-${verb}` });

function with_force(verb, box) {
    return h('div', { class: 'option' }, box, h('label', { for: box.id }, t(`force_${verb}`)));
}

/** Resolves to whether anything was asked of the server. */
export async function change_messages(verb, ids) {
    const force = force_box(verb);
    const answer = await ask({
        title: t(`${verb}_messages`, number(ids.length), ids.length),
        content: [h('p', {}, t(`${verb}_explained`)), ids.length === 1 ? h('p', { class: 'mono break' }, h('bdi', {}, ids[0])) : null, with_force(verb, force)],
        confirm: t(verb), danger: verb === 'delete',
        act: () => post(`messages/${verb}`, force.checked ? { ids, force: true } : { ids }),
    });
    if (answer) report(verb, answer.changed, answer.unchanged ?? []);
    return answer !== null;
}

const outcome_words = {
    not_failed: 'outcome_not_failed', gone: 'outcome_gone', no_entry: 'outcome_no_entry', already: 'outcome_already',
    busy: 'outcome_busy', not_tried: 'outcome_not_tried', not_done: 'outcome_not_done', not_recorded: 'outcome_not_recorded',
};
const said = ({ outcome, reason }) => (outcome_words[outcome] ? t(outcome_words[outcome]) : outcome) + (reason ? `: ${reason}` : '');

const at_once = { retry: 200, delete: 1000 };

/** Of the ledger. Entries are given as texts: their numbers may be too long for JavaScript. */
export async function change_entries(verb, entries) {
    const repeat = h('input', { type: 'checkbox', id: 'repeat' });
    const answer = await ask({
        title: t(`${verb}_entries`, number(entries.length), entries.length),
        content: [h('p', {}, t(`${verb}_entries_explained`)),
            verb === 'retry' ? h('div', { class: 'option' }, repeat, h('label', { for: 'repeat' }, t('repeat'))) : null],
        confirm: t(verb), danger: verb === 'delete',
        act: () => post(`failures/${verb}`, {
            entries: entries.slice(0, at_once[verb]).map((one) => new Exact(one)), ...(repeat.checked ? { repeat: true } : {}),
        }),
    });
    if (!answer) return false;
    const left = answer.results.filter((one) => one.outcome !== 'done' && one.outcome !== 'deleted');
    report(verb, answer.results.length - left.length, left.map((one) => ({ id: one.entry, why: said(one) })));
    return true;
}

/** Why not all that match can be changed, in words; null if they can. `what` is messages or failures. */
export function objection_to_matching(what, verb, filter) {
    if (what === 'failures') return verb === 'delete' && !Object.keys(filter).length ? t('filter_first') : null;
    const { status = null } = filter_body(filter);
    if (verb === 'delete') return status === null ? t('status_first') : null;
    return status === null || status === 2 || status === 1 ? null : t('retry_explained');
}

/** Says how many it would be before anything is done. Without a status, only failed messages are retried. */
export async function change_matching(what, verb, given, { note } = {}) {
    const filter = what === 'messages' && verb === 'retry' ? { status: '2', ...given } : given;
    const body = { filter: filter_body(filter) };
    const needs_force = what === 'messages' && body.filter.status === { retry: 1, delete: 0 }[verb];
    const where = `${what}/${verb}-matching`;
    const counted = h('p', { class: 'counted', role: 'status' }, t('counting'));
    const force = force_box(verb);
    let count = 0, asked = 0;

    const request = () => (force.checked ? { ...body, force: true } : body);

    async function preview(dialog) {
        const turn = ++asked;
        dialog.allow(false);
        dialog.say('');
        replace(counted, needs_force && !force.checked ? '' : t('counting'));
        if (needs_force && !force.checked) return;
        try {
            const answer = await post(where, { ...request(), dry_run: true });
            if (turn !== asked) return;
            count = answer.count;
            const complete = answer.complete !== false;
            replace(counted, count === 0 ? t('nothing_matches') : t(`${verb}_would`, number(count), complete, count));
            dialog.rename(count ? t(`${verb}_n`, number(count), complete) : t(verb));
            dialog.allow(count > 0);
        } catch (error) {
            if (turn !== asked) return;
            replace(counted);
            dialog.say(words_of(error));
        }
    }

    const names = Object.entries(filter);
    return await ask({
        title: t(`${verb}_matching`), locked: true, confirm: t(verb), danger: verb === 'delete',
        content: [
            names.length
                ? h('dl', { class: 'fields filter-shown' }, names.map(([name, value]) => [h('dt', {}, t(`filter_${name}`)), h('dd', {}, filter_words(name, value))]))
                : h('p', { class: 'warning' }, t('no_filter')),
            note ? h('p', { class: 'warning' }, note) : null,
            counted,
            h('p', { class: 'muted' }, t(what === 'messages' ? `${verb}_explained` : `${verb}_entries_explained`)),
            needs_force ? with_force(verb, force) : null,
        ],
        ready: (dialog) => {
            force.addEventListener('change', () => preview(dialog));
            preview(dialog);
        },
        act: () => start_job(where, request()),
    }) !== null;
}

function filter_words(name, value) {
    if (value === '') return t(name === 'exchange' ? 'default_exchange' : 'empty_text');
    if (name === 'status') return t('status_named', value);
    if (name === 'since' || name.startsWith('before')) return new Date(Number(value)).toLocaleString(document.documentElement.lang);
    return h('bdi', { class: 'mono break' }, value);
}
