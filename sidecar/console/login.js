// Asks for a token, over whatever is shown: nothing that was typed below is lost when a session ends.
import { h, replace } from './dom.js';
import { logo } from './icons.js';
import { t } from './i18n.js';
import { number } from './format.js';
import { log_in } from './api.js';
import { words_of } from './toast.js';

let open = null;

function words_for(error) {
    if (error.status === 401) return t('wrong_token');
    if (error.status === 429) return t('too_many_tries', error.retry_after ? number(error.retry_after) : null);
    return words_of(error);
}

/** Resolves when somebody has logged in. */
export function log_in_dialog() {
    open ??= new Promise((resolve) => {
        const token = h('input', { id: 'token', type: 'password', autocomplete: 'current-password', required: true, spellcheck: 'false', 'aria-describedby': 'token-trouble' });
        const trouble = h('p', { class: 'trouble', id: 'token-trouble', role: 'alert', hidden: true });
        const submit = h('button', { type: 'submit', class: 'primary' }, t('log_in'));

        async function on_submit(event) {
            event.preventDefault();
            if (submit.disabled || !token.value.trim()) return token.focus();
            submit.disabled = true;
            trouble.hidden = true;
            try {
                await log_in(token.value.trim());
                dialog.close();
                dialog.remove();
                open = null;
                resolve();
            } catch (error) {
                replace(trouble, words_for(error)).hidden = false;
                submit.disabled = false;
                token.select();
            }
        }

        const dialog = h('dialog', { class: 'login', 'aria-labelledby': 'login-title', on: { cancel: (event) => event.preventDefault() } },
            h('form', { method: 'dialog', novalidate: true, on: { submit: on_submit } },
                h('div', { class: 'login-brand' }, logo(), h('h1', { id: 'login-title' }, 'outbox-sidecar')),
                h('p', { class: 'muted' }, t('login_explained')),
                h('div', { class: 'field' }, h('label', { for: 'token' }, t('token')), token, trouble), submit));
        document.body.append(dialog);
        dialog.showModal();
        token.focus();
        // Chromium closes a dialog at the second Esc in a row, whatever is said to the first.
        dialog.addEventListener('close', () => { if (open && dialog.isConnected) dialog.showModal(); });
    });
    return open;
}
