// Numbers, times and sizes, as the reader's language writes them.
import { language } from './i18n.js';
import { now } from './api.js';

const makers = new Map();

function maker(kind, options) {
    const key = language() + kind.name + JSON.stringify(options);
    if (!makers.has(key)) makers.set(key, new kind(language(), options));
    return makers.get(key);
}

export const dash = '–';

export const number = (value, digits = 0) =>
    value === null || value === undefined ? dash : maker(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);

/** For axes and tiles: 12K, 1.2M. */
export const short = (value) =>
    value === null || value === undefined ? dash
        : maker(Intl.NumberFormat, { notation: value >= 100_000 ? 'compact' : 'standard', maximumFractionDigits: value < 10 ? 2 : 1 }).format(value);

const unit = (value, name, digits = 0) =>
    maker(Intl.NumberFormat, { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: digits }).format(value);

/** A length of time, roughly. */
export function duration(ms, digits = 1) {
    if (ms === null || ms === undefined) return dash;
    const seconds = Math.abs(ms) / 1000;
    if (seconds < 1 && ms !== 0) return unit(Math.abs(ms), 'millisecond', Math.abs(ms) < 100 ? 1 : 0);
    if (seconds < 60) return unit(seconds, 'second', seconds < 10 ? digits : 0);
    if (seconds < 3600) return unit(Math.floor(seconds / 60), 'minute');
    if (seconds < 86_400 * 2) return unit(Math.floor(seconds / 3600), 'hour');
    return unit(Math.floor(seconds / 86_400), 'day');
}

const is_a_time = (ms) => typeof ms === 'number' && Math.abs(ms) < 8.64e15;

export function time(ms) {
    if (ms === null || ms === undefined) return dash;
    if (!is_a_time(ms)) return String(ms);
    return maker(Intl.DateTimeFormat, { dateStyle: 'medium', timeStyle: 'medium' }).format(ms);
}

export const clock = (ms, with_seconds) =>
    maker(Intl.DateTimeFormat, { hour: '2-digit', minute: '2-digit', second: with_seconds ? '2-digit' : undefined, hourCycle: 'h23' }).format(ms);

/** How long ago, or in how long. */
export function age(ms) {
    if (ms === null || ms === undefined) return dash;
    if (!is_a_time(ms)) return String(ms);
    const away = ms - now();
    return away > 0 ? `+${duration(away, 0)}` : duration(Math.abs(away) < 1000 ? 0 : away, 0);
}

export function bytes(value) {
    if (value === null || value === undefined) return dash;
    if (value < 1000) return `${number(value)} B`;
    if (value < 1_000_000) return `${number(value / 1000, 1)} kB`;
    return `${number(value / 1_000_000, 1)} MB`;
}

/** For datetime-local fields, which speak local time without a zone. */
export function local_input(ms) {
    const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
    return at.toISOString().slice(0, at.getUTCSeconds() || at.getUTCMilliseconds() ? 19 : 16);
}
