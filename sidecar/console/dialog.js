// Modal dialogs: the browser's own, which keep the focus inside and give it back.
import { h, replace, unique_id } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { words_of } from './toast.js';

/**
 * Shows a form. `act` is called on submit and may throw: the dialog then stays, with what was typed and the reason.
 * Resolves to what `act` returned, or to null if the reader thought better of it.
 */
export function ask({ title, content = [], confirm, danger = false, wide = false, act = async () => true, ready, locked = false, focus }) {
    return new Promise((resolve) => {
        const heading = unique_id('dialog');
        const trouble = h('p', { class: 'trouble', role: 'alert', hidden: true });
        const submit = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, confirm);
        const cancel = h('button', { type: 'button', on: { click: dismiss } }, t('cancel'));
        let result = null, busy = false;
        submit.disabled = locked;

        async function on_submit(event) {
            event.preventDefault();
            if (busy || submit.disabled) return;
            busy = submit.disabled = cancel.disabled = true;
            trouble.hidden = true;
            try {
                close(await act());
            } catch (error) {
                replace(trouble, words_of(error, true)).hidden = false;
                submit.disabled = false;
            }
            busy = cancel.disabled = false;
        }

        // What was asked of the server is waited for: it may be done.
        function dismiss() { if (!busy) close(null); }

        function close(value) {
            result = value;
            dialog.close();
        }

        const dialog = h('dialog', { class: wide ? 'dialog wide' : 'dialog', 'aria-labelledby': heading, on: {
            close: () => { dialog.remove(); resolve(result); },
            cancel: (event) => { if (busy) event.preventDefault(); },
        } },
        h('form', { method: 'dialog', novalidate: true, on: { submit: on_submit } },
            h('header', {}, h('h2', { id: heading }, title),
                h('button', { type: 'button', class: 'quiet icon-only', 'aria-label': t('close'), on: { click: dismiss } }, icon('close'))),
            h('div', { class: 'dialog-body' }, content, trouble),
            h('footer', {}, cancel, submit)));
        document.body.append(dialog);
        dialog.showModal();
        (focus ?? (danger || locked ? cancel : submit)).focus();
        ready?.({
            allow: (yes) => { submit.disabled = busy || !yes; },
            say: (text) => { replace(trouble, text).hidden = !text; },
            rename: (text) => replace(submit, text),
            close,
        });
    });
}

/** Shows something, with nothing to decide. */
export function show({ title, content, wide = false }) {
    const heading = unique_id('dialog');
    const dialog = h('dialog', { class: wide ? 'dialog wide' : 'dialog', 'aria-labelledby': heading, on: { close: () => dialog.remove() } },
        h('header', {}, h('h2', { id: heading }, title),
            h('button', { type: 'button', class: 'quiet icon-only', 'aria-label': t('close'), on: { click: () => dialog.close() } }, icon('close'))),
        h('div', { class: 'dialog-body' }, content));
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
}

export const any_open = () => document.querySelector('dialog[open]') !== null;
