// The page: who is asking, what is shown, and what is the same wherever the reader is.
import { h, raise, redraw, replace, unique_id } from './dom.js';
import { icon, logo } from './icons.js';
import { choose_language, language, languages, t } from './i18n.js';
import { next_theme, theme } from './theme.js';
import { events, log_out, refresh_session, session } from './api.js';
import { address, go, read } from './router.js';
import { complain, words_of } from './toast.js';
import { jobs_indicator } from './jobs.js';
import { listen, show_help } from './keys.js';
import { log_in_dialog } from './login.js';
import { overview_source } from './overview.js';
import { configuration_view } from './view_configuration.js';
import { dead_letters_view } from './view_dead_letters.js';
import { failures_view } from './view_failures.js';
import { lanes_view } from './view_lanes.js';
import { messages_view } from './view_messages.js';
import { overview_view } from './view_overview.js';

const views = {
    overview: overview_view, messages: messages_view, failures: failures_view, 'dead-letters': dead_letters_view,
    lanes: lanes_view, configuration: configuration_view,
};
const words_name = (view) => view.replace('-', '_');
const most_wait = 30_000; // ms between two tries to reach the server

const app = document.getElementById('app');
let shown_for = null; // name and role
let page = null; // of the present language and role; made anew when these change

function health_chips(all) {
    if (!all) return [];
    const chip = (tone, words) => h('a', { class: `chip ${tone}`, href: address('overview') }, h('i', { class: 'dot', 'aria-hidden': 'true' }), words);
    return [
        all.paused ? chip('warn', t('paused')) : null,
        !all.broker.connected ? chip('bad', t('broker_lost')) : all.broker.blocked ? chip('warn', t('broker_blocked')) : null,
        !all.ready.ok ? chip('bad', t('not_ready')) : null,
        all.broker.connected && !all.broker.blocked && all.ready.ok && !all.paused ? chip('good', t('is_running')) : null,
    ];
}

function make_page() {
    const ended = new AbortController(), { signal } = ended;
    const links = Object.keys(views).map((name) => h('a', { href: address(name), data: { view: name } }, icon(words_name(name)), h('span', {}, t(`nav_${words_name(name)}`))));
    const title = h('h1', { tabindex: '-1' }), chips = h('div', { class: 'chips', role: 'status', 'aria-label': t('state') });
    const main = h('main', { id: 'main', tabindex: '0' });
    const instance = h('span', { class: 'instance muted', dir: 'auto' });
    const overview = overview_source(signal);
    const jobs = jobs_indicator(signal, () => view?.refresh());
    let view = null, name = null;

    const theme_button = h('button', { type: 'button', class: 'quiet icon-only', on: { click: () => { next_theme(); draw_theme(); } } });
    function draw_theme() {
        const words = t(`theme_${theme()}`);
        replace(theme_button, icon({ auto: 'auto', light: 'sun', dark: 'moon' }[theme()]));
        theme_button.setAttribute('aria-label', words);
        theme_button.title = words;
    }
    draw_theme();

    const language_id = unique_id('language');
    const language_choice = h('label', { class: 'language', for: language_id }, icon('language'), h('span', { class: 'offscreen' }, t('language')),
        h('select', { id: language_id, value: language(), on: { change: (event) => { choose_language(event.target.value); start_page(); } } },
            languages.map(([code, words]) => h('option', { value: code, lang: code }, words))));
    const leave = async () => {
        try {
            await log_out();
            forget_page();
        } catch (error) {
            complain(error, true);
        }
    };
    const who = h('div', { class: 'who' },
        session.name ? h('span', { class: 'who-name' }, h('bdi', {}, session.name), h('span', { class: 'muted' }, t(`role_${session.role}`))) : null,
        session.required ? h('button', { type: 'button', class: 'quiet icon-only', 'aria-label': t('log_out'), title: t('log_out'), on: { click: leave } }, icon('logout')) : null);

    const skip = h('a', { class: 'skip', href: '#main', on: { click: (event) => { event.preventDefault(); main.focus(); } } }, t('skip_to_content'));
    const shell = h('div', { class: 'shell' }, skip,
        h('aside', { class: 'rail', 'aria-label': t('navigation') }, h('a', { class: 'brand', href: address('overview') }, logo(), h('span', {}, 'outbox-sidecar')),
            h('nav', { 'aria-label': t('navigation') }, links), instance),
        h('div', { class: 'page' },
            h('header', { class: 'top' }, title, chips, h('div', { class: 'tools' }, jobs.button,
                h('button', { type: 'button', class: 'quiet icon-only help-button', 'aria-label': t('keys_title'), title: `${t('keys_title')} (?)`, on: { click: show_help } }, icon('help')),
                theme_button, language_choice, who), jobs.panel),
            banner, main));
    replace(app, shell);

    overview.subscribe((all) => {
        redraw(chips, health_chips(all));
        if (all) replace(instance, `${all.instance} · ${all.version}`);
    }, signal);

    function show() {
        const at = read();
        if (!views[at.view]) return go('overview', {}, { replace: true });
        if (at.view !== name) {
            view?.dispose();
            main.className = `view-${at.view}`;
            main.scrollTop = 0;
            view = views[at.view](main, { overview });
            const moved = name !== null;
            name = at.view;
            replace(title, t(words_name(name)));
            document.title = `${t(words_name(name))} · outbox-sidecar`;
            for (const link of links) link.dataset.view === name ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
            if (moved) title.focus({ preventScroll: true });
        }
        view.update(at.params);
    }

    window.addEventListener('hashchange', show, { signal });
    document.addEventListener('job', (event) => jobs.follow(event.detail), { signal });
    listen(() => {
        const keys = view?.keys ?? {};
        return jobs.is_open() ? { ...keys, Escape: jobs.close } : keys;
    }, (to) => go(to), signal);
    show();

    return {
        refresh: () => { overview.now(); jobs.refresh(); view?.refresh(); },
        end: () => { ended.abort(); view?.dispose(); },
    };
}

// Who logs out leaves nothing behind on the screen.
function forget_page() {
    page?.end();
    page = shown_for = null;
    replace(app);
}

function start_page() {
    page?.end();
    page = make_page();
}

// ---- when the server can't be reached ------------------------------------------------------------------------------

const banner = h('div', { class: 'banner', role: 'alert', hidden: true });
let retry_timer = 0, wait = 1000;

async function reach() {
    clearTimeout(retry_timer);
    try {
        await refresh_session();
    } catch {
        lost();
    }
}

function lost() {
    clearTimeout(retry_timer);
    if (!banner.isConnected) app.append(banner);
    const seconds = Math.round(wait / 1000);
    replace(banner, h('span', {}, t('connection_lost', seconds)), ' ', h('button', { type: 'button', class: 'link', on: { click: reach } }, t('try_now'))).hidden = false;
    raise(banner);
    retry_timer = setTimeout(reach, wait);
    wait = Math.min(wait * 2, most_wait);
}

events.addEventListener('unreachable', lost);
events.addEventListener('reachable', () => {
    clearTimeout(retry_timer);
    wait = 1000;
    banner.hidden = true;
    page ? page.refresh() : begin();
});

// ---- who is asking -------------------------------------------------------------------------------------------------

events.addEventListener('session', async () => {
    if (session.required && !session.role) {
        await log_in_dialog();
        return;
    }
    // Another name or role sees other buttons; the same one again loses nothing of what is open.
    const who = `${session.name} ${session.role}`;
    if (shown_for === who && page) return page.refresh();
    shown_for = who;
    start_page();
});

async function begin() {
    try {
        await refresh_session();
    } catch (error) {
        if (error.status) replace(app, h('p', { class: 'trouble', role: 'alert' }, words_of(error)));
    }
}

begin();
