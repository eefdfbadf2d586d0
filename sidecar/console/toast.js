// Short news of what was done, in a corner. Errors stay until they are dismissed.
import { h, raise } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { is_aborted, Unreachable } from './api.js';

const corner = h('div', { class: 'toasts', role: 'region', 'aria-live': 'polite' });
document.body.append(corner);

const at_most = 4;
const shown_for = 6000; // ms

export function toast(text, kind = 'good') {
    const drop = () => one.remove();
    const one = h('div', { class: `toast ${kind}`, role: kind === 'bad' ? 'alert' : 'status' },
        h('p', {}, text),
        h('button', { type: 'button', class: 'quiet icon-only', 'aria-label': t('dismiss'), on: { click: drop } }, icon('close')));
    corner.setAttribute('aria-label', t('notices'));
    corner.append(one);
    while (corner.children.length > at_most) corner.firstChild.remove();
    raise(corner);
    if (kind !== 'bad') setTimeout(drop, shown_for);
}

/** What an error means to the reader. Where something was to be changed, a lost answer leaves that unknown. */
export function words_of(error, changing = false) {
    if (error instanceof Unreachable) return changing ? t('unknown_outcome') : t('unreachable');
    return error.message;
}

export function complain(error, changing = false) {
    if (!is_aborted(error) && error.status !== 401) toast(words_of(error, changing), 'bad');
}
