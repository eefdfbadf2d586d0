// What runs in the background: asked for while somebody looks, shown wherever the reader is.
import { h, redraw, replace, unique_id } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { number } from './format.js';
import { get, post, remove, path, is_operator } from './api.js';
import { poll } from './poll.js';
import { complain, toast } from './toast.js';
import { when } from './parts.js';

const is_active = (job) => job.state === 'running' || job.state === 'queued';

/** `done` is called when a job that was seen running has ended. */
export function jobs_indicator(signal, done) {
    const panel = h('div', { class: 'jobs-panel', id: unique_id('jobs'), role: 'region', 'aria-label': t('jobs'), hidden: true });
    const words = h('span', {});
    const button = h('button', { type: 'button', class: 'jobs-button', 'aria-expanded': 'false', 'aria-controls': panel.id, on: { click: () => open(panel.hidden) } },
        icon('jobs'), words);
    document.addEventListener('pointerdown', ({ target }) => {
        if (!panel.hidden && !panel.contains(target) && !button.contains(target)) open(false);
    }, { signal });
    let jobs = [], running = new Set(), own = new Set();

    function open(yes) {
        panel.hidden = !yes;
        button.setAttribute('aria-expanded', String(yes));
    }

    async function stop(job) {
        try {
            await remove(path('jobs', String(job.id)));
            poller.now();
        } catch (error) {
            complain(error, true);
        }
    }

    function line_of(job) {
        const bar = is_active(job) ? h('progress', { max: job.total || null, value: job.total ? job.changed + (job.left ?? 0) : null, 'aria-label': t('job_progress') }) : null;
        return h('li', { class: `job ${job.state}` },
            h('div', { class: 'job-head' }, h('strong', {}, t('job_action', job.action)), h('span', { class: `job-state ${job.state}` }, t(`job_${job.state}`))),
            bar,
            h('div', { class: 'muted' }, t('job_counts', number(job.changed), job.total === null || job.total === undefined ? null : number(job.total), number(job.left || 0), job.left > 0),
                job.by ? [' · ', h('bdi', {}, job.by)] : null, job.started ? [' · ', when(job.started)] : null),
            job.error ? h('p', { class: 'trouble' }, job.error) : null,
            is_active(job) && is_operator()
                ? h('button', { type: 'button', class: 'small', on: { click: () => stop(job) } }, t('stop')) : null);
    }

    function draw() {
        const active = jobs.filter(is_active).length;
        button.hidden = jobs.length === 0;
        button.classList.toggle('active', active > 0);
        const label = active ? t('jobs_running', active) : t('jobs');
        replace(words, label);
        button.setAttribute('aria-label', active ? `${t('jobs')}: ${label}` : label);
        redraw(panel, h('h2', {}, t('jobs')), h('ul', {}, jobs.map(line_of)));
        if (!jobs.length) open(false);
    }

    function ended(job) {
        const counts = t('job_counts', number(job.changed), null, number(job.left || 0), job.left > 0);
        toast(`${t('job_action', job.action)}: ${t(`job_${job.state}`)} · ${counts}${job.error ? ` · ${job.error}` : ''}`,
            job.state === 'done' ? 'good' : 'bad');
        done(job);
    }

    async function look(with_signal) {
        const answer = await get('jobs', {}, with_signal);
        jobs = (Array.isArray(answer) ? answer : answer.jobs ?? [])
            .slice(0, 20); // the latest first
        const now_running = new Set();
        for (const job of jobs) {
            const id = String(job.id);
            if (is_active(job)) {
                now_running.add(id);
            } else if (running.has(id) || own.delete(id)) {
                own.delete(id);
                ended(job);
            }
        }
        running = now_running;
        draw();
    }

    const poller = poll(look, () => (running.size || own.size ? 700 : 10_000), signal);

    return {
        button, panel,
        refresh: poller.now,
        close: () => open(false),
        is_open: () => !panel.hidden,
        /** Of an answer that started one. */
        follow: (answer) => {
            const id = answer.job?.id ?? answer.job ?? answer.id;
            own.add(String(id));
            button.hidden = false;
            open(true);
            poller.now();
        },
    };
}

/** Starts what runs in the background; the page's indicator then shows it. */
export async function start_job(where, body) {
    const answer = await post(where, body);
    document.dispatchEvent(new CustomEvent('job', { detail: answer }));
    return true;
}
