// The HTTP API, as seen by the views. One place knows about tokens, problems and lost connections.
import { parse, stringify } from './lossless.js';

const base = new URL('api/v1/', document.baseURI);

/** An answer that says no (RFC 9457). */
export class Problem extends Error {
    constructor(status, document, retry_after) {
        super(document.detail || document.title || `HTTP ${status}`);
        this.status = status;
        this.title = document.title;
        this.retry_after = retry_after; // seconds, or null
        this.document = document;
    }
}

/** No answer: of what was to be changed it is not known whether it was. */
export class Unreachable extends Error {}

/** Events: session (who is logged in may have changed), unreachable, reachable. */
export const events = new EventTarget();
export const session = { required: false, name: null, role: null, csrf: null };

const tell = (what) => events.dispatchEvent(new Event(what));
let reachable = true;
let clock_offset = 0; // ms that the server's clock is ahead of this one

/** By the server's clock, which the times in messages are of. */
export const now = () => Date.now() + clock_offset;
export const is_operator = () => session.role === 'operator';
export const is_aborted = (error) => error?.name === 'AbortError';

/** A path of the API from its parts, each escaped. */
export function path(...parts) {
    // A browser takes these for "here" and "above", however they are escaped.
    for (const part of parts)
        if (part === '' || part === '.' || part === '..')
            throw new Problem(400, { title: 'Bad id', detail: `No URL can name the id "${part}": use the command line.` });
    return parts.map(encodeURIComponent).join('/');
}

function url_of(where, query) {
    const url = new URL(where, base);
    for (const [name, value] of Object.entries(query ?? {}))
        if (value !== null && value !== undefined) url.searchParams.set(name, value);
    return url;
}

async function answer_of(response, exactly) {
    const text = await response.text();
    const is_json = /[/+]json/.test(response.headers.get('Content-Type') ?? '');
    let document = null;
    try {
        document = text && is_json ? parse(text, exactly) : null;
    } catch {
        throw new Unreachable('the answer was cut off');
    }
    if (!response.ok)
        throw new Problem(response.status, document ?? { title: response.statusText },
            Number(response.headers.get('Retry-After')) || null);
    if (document && typeof document.now === 'number') clock_offset = document.now - Date.now();
    return document;
}

async function ask(method, where, { query, body, signal, exactly } = {}) {
    const headers = { Accept: 'application/json' };
    if (method !== 'GET' && session.csrf) headers['X-CSRF-Token'] = session.csrf;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let answered = false;
    try {
        const response = await fetch(url_of(where, query), {
            method, headers, signal, body: body === undefined ? undefined : stringify(body), cache: 'no-store', credentials: 'same-origin',
        });
        const answer = await answer_of(response, exactly);
        answered = true;
        return answer;
    } catch (error) {
        answered = error instanceof Problem;
        if (is_aborted(error) || answered) throw error;
        if (reachable) {
            reachable = false;
            tell('unreachable');
        }
        throw new Unreachable(error.message);
    } finally {
        if (answered && !reachable) {
            reachable = true;
            tell('reachable');
        }
    }
}

function adopt(state) {
    Object.assign(session, state);
    tell('session');
    return session;
}

export const refresh_session = async () => adopt(await ask('GET', 'session'));
export const log_in = async (token) => adopt(await ask('POST', 'session', { body: { token } }));
export async function log_out() {
    await ask('DELETE', 'session');
    await refresh_session();
}

// A session may have ended, or another tab may have begun a new one, since this page asked.
async function with_session(method, where, options) {
    try {
        return await ask(method, where, options);
    } catch (error) {
        if (error.status === 401) {
            adopt({ role: null });
        } else if (error.status === 403 && method !== 'GET') {
            const before = session.csrf;
            await refresh_session();
            if (session.csrf !== before) return ask(method, where, options); // refused, so nothing was done yet
        }
        throw error;
    }
}

export const get = (where, query, signal) => with_session('GET', where, { query, signal });
/** Numbers in it stay as they are written: 1.0 is not 1. */
export const get_exactly = (where, query, signal) => with_session('GET', where, { query, signal, exactly: true });
export const post = (where, body = {}) => with_session('POST', where, { body });
export const remove = (where) => with_session('DELETE', where, {});
