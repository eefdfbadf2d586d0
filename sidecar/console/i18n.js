// Words by language. The reader's choice is remembered in this browser; else the browser's own language decides.
import { words as english } from './words_en.js';
import { words as chinese } from './words_zh.js';

const all = { en: english, 'zh-CN': chinese };
export const languages = [['en', 'English'], ['zh-CN', '中文']];

export function remembered(key) {
    try {
        return localStorage.getItem(`outbox.${key}`);
    } catch {
        return null; // forbidden by the browser's settings
    }
}

export function remember(key, value) {
    try {
        localStorage.setItem(`outbox.${key}`, value);
    } catch { /* then it holds until the page is left */ }
}

const preferred = () => ((navigator.language ?? '').toLowerCase().startsWith('zh') ? 'zh-CN' : 'en');
let chosen = all[remembered('language')] ? remembered('language') : preferred();
document.documentElement.lang = chosen;

export const language = () => chosen;

export function choose_language(which) {
    chosen = which;
    remember('language', which);
    document.documentElement.lang = which;
}

/** The words of a name; those that depend on values are functions of them. */
export function t(name, ...values) {
    const words = all[chosen][name] ?? english[name];
    // What a newer sidecar names is shown by that name.
    if (words === undefined && /^(job|role|side|total)_/.test(name)) return name.replace(/^[a-z]+_/, '').replaceAll('_', ' ');
    if (words === undefined) throw new Error(`no words for ${name}`);
    return typeof words === 'function' ? words(...values) : words;
}
