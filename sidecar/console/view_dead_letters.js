import { h, redraw, replace, unique_id } from './dom.js';
import { t } from './i18n.js';
import { dash, duration, number } from './format.js';
import { get, path, post } from './api.js';
import { ask } from './dialog.js';
import { start_job } from './jobs.js';
import { destination, empty, fields, operator_button } from './parts.js';
import { poll } from './poll.js';
import { words_of } from './toast.js';

function number_field(label, hint) {
    const input = h('input', { id: unique_id('redrive'), type: 'number', min: '1', step: '1', inputmode: 'numeric', placeholder: hint });
    return { input, element: h('div', { class: 'field' }, h('label', { for: input.id }, label), input) };
}

function preview_table(answer) {
    const lines = [...answer.moves.map((one) => [one.messages, destination(one.exchange, one.routing_key)]),
        ...(answer.without_origin ? [[answer.without_origin, t('without_origin')]] : [])];
    return [h('table', { class: 'plain' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col', class: 'numeric' }, t('messages')), h('th', { scope: 'col' }, t('destination')))),
        h('tbody', {}, lines.map(([count, to]) => h('tr', {}, h('td', { class: 'numeric' }, number(count)), h('td', {}, to))))),
    h('p', { class: 'muted' }, t('looked_at', number(answer.looked_at)))];
}

async function redrive(queue) {
    const limit = number_field(t('redrive_limit'), t('redrive_all')), rate = number_field(t('redrive_rate'), t('redrive_default_rate'));
    const preview = h('div', { class: 'preview', role: 'status' });
    const where = path('dead-letters', queue, 'redrive');
    const request = () => ({
        ...(limit.input.value ? { limit: Number(limit.input.value) } : {}), ...(rate.input.value ? { rate: Number(rate.input.value) } : {}),
    });
    let turn = 0;

    async function look(dialog) {
        const mine = ++turn;
        dialog.allow(false);
        replace(preview, h('p', {}, t('counting')));
        try {
            const answer = await post(where, { ...request(), dry_run: true });
            if (mine !== turn) return;
            const movable = answer.moves.reduce((sum, one) => sum + one.messages, 0);
            replace(preview, answer.looked_at ? preview_table(answer) : h('p', {}, t('queue_empty')));
            dialog.allow(movable > 0);
        } catch (error) {
            if (mine === turn) replace(preview, h('p', { class: 'trouble' }, words_of(error)));
        }
    }

    await ask({
        title: t('redrive_queue', queue), confirm: t('redrive'), locked: true,
        content: [h('p', {}, t('redrive_explained')), h('div', { class: 'two' }, limit.element, rate.element), preview],
        ready: (dialog) => {
            limit.input.addEventListener('change', () => look(dialog));
            look(dialog);
        },
        act: () => start_job(where, request()),
    });
}

const card = (one) =>
    h('article', { class: 'card queue' },
        h('header', {}, h('h2', { class: 'mono break' }, h('bdi', {}, one.queue)), one.paused ? h('span', { class: 'badge other' }, t('paused')) : null),
        h('p', { class: 'big' }, one.length === null ? dash : number(one.length), h('span', { class: 'muted' }, ' ', t('messages_waiting'))),
        one.trouble ? h('p', { class: 'trouble break' }, h('bdi', {}, one.trouble)) : null,
        fields([
            [t('redrives_every'), one.interval_ms === null ? null : one.interval_ms ? duration(one.interval_ms) : t('never')],
            [t('max_redrives'), one.max_redrives === null ? null : number(one.max_redrives)],
            [t('redriven'), number(one.redriven)], [t('filed'), number(one.filed)], [t('refused'), number(one.refused)],
        ]),
        h('div', { class: 'actions' }, operator_button({ label: t('redrive'), name: 'retry', action: () => redrive(one.queue) })));

export function dead_letters_view(root) {
    const stopped = new AbortController();
    const trouble = h('div', { class: 'trouble', role: 'alert', hidden: true });
    const cards = h('div', { class: 'cards' });
    let shown = '';
    replace(root, h('p', { class: 'lead' }, t('dead_letters_explained')), trouble, cards);

    const poller = poll(async (signal) => {
        try {
            const { queues } = await get('dead-letters', {}, signal);
            trouble.hidden = true;
            const state = JSON.stringify(queues);
            if (state === shown) return;
            shown = state;
            redraw(cards, queues.length ? queues.map(card) : empty(t('no_dead_letters'), t('no_dead_letters_hint')));
        } catch (error) {
            if (!signal.aborted) replace(trouble, words_of(error)).hidden = false;
            throw error;
        }
    }, () => 5000, stopped.signal);

    return { update() {}, refresh: poller.now, dispose: () => stopped.abort(), keys: { u: poller.now } };
}
